"""The stub Residency Scheduler: a FastAPI application over PostgreSQL that monitoring can watch.

`app.py` puts it together; `routes/` holds the endpoints, `db.py` the connections and what happens
when the database goes away, `seed.py` and `schema.sql` the data, `roster.py` and `acgme.py` the
pure rules, `metrics.py` and `logs.py` what is observed. Alert rules, traffic and faults live
elsewhere.
"""
