"""The stub Residency Scheduler: a FastAPI application over PostgreSQL that can be monitored.

`app.py` puts it together; `routes/` holds the endpoints, `db.py` the connections and what happens
when the database goes away, `seed.py` and `schema.sql` the data, `roster.py` and `acgme.py` the
pure rules, `metrics.py` and `logs.py` what is observed. Not here: alert rules, traffic and faults.
Imports what the programs share and the loose modules.
"""
