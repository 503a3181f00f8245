-- Keys and indexes that a bulk load does without; see `schema.sql`.

ALTER TABLE users ADD FOREIGN KEY (person_id) REFERENCES people;
ALTER TABLE assignments
    ADD PRIMARY KEY (id),
    ADD UNIQUE (block_id, person_id),
    ADD FOREIGN KEY (block_id) REFERENCES blocks,
    ADD FOREIGN KEY (person_id) REFERENCES people,
    ADD FOREIGN KEY (rotation_id) REFERENCES rotations;
CREATE INDEX ON assignments (person_id, block_id);
ALTER TABLE absences ADD FOREIGN KEY (person_id) REFERENCES people;
CREATE INDEX ON absences (person_id, first_day);
ALTER TABLE swap_requests
    ADD FOREIGN KEY (assignment_id) REFERENCES assignments ON DELETE SET NULL,
    ADD FOREIGN KEY (requester_id) REFERENCES people,
    ADD FOREIGN KEY (target_id) REFERENCES people;
CREATE INDEX ON swap_requests (assignment_id);
CREATE INDEX ON swap_requests (status, id);
ALTER TABLE violations ADD FOREIGN KEY (person_id) REFERENCES people;
CREATE INDEX ON violations (rule, id);
CREATE INDEX ON violations (first_day);
