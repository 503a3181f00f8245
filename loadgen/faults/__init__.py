"""Faults: causes that can be injected into an instance and undone. This is the index of them.

A service is down
    `service.ServiceStopped`              stopped at once, held down until the fault ends
    `killed.ServiceKilled`                SIGKILL, then held down
The database
    `postgres.ConnectionsHeld`            connections opened and never closed
    `postgres.TransactionHeldOpen`        a transaction that is never committed
    `postgres.Deadlocks`                  two transactions in deadlock, again and again
    `rights.TableRevoked`                 the scheduler may not use one of its tables
    `rights.DatabasePasswordChanged`      the scheduler's password is changed under it
    `sessions.SessionsTerminated`         sessions are ended as soon as they are open
    `database_link.SlowDatabaseLink`      every packet between scheduler and database is late
The host and its containers
    `host.cpu`, `.memory`, `.network`     one resource of the simulated host is strained
    `host.leftover_interfaces`            containers are gone, their network interfaces are not
    `disk.DiskFilled`, `disk.DiskFilling` its disk is full, or fills steadily
    `container.cpu`, `.memory`            the worker uses most of its CPU or memory limit
    `container.crash_loop`                the worker crashes again and again
People
    `people.PeopleAway`                   users of some classes log off
    `staff.StaffAbsent`                   much of the staff is on leave, so planning is hard
    `intruders.DatabaseLogInsRefused`     a program the database does not know tries to log in
    `intruders.PasswordsGuessed`          somebody guesses a user's password
    `intruders.OldLinesPushed`            lines that Loki refuses for their age are pushed to it
The monitoring itself
    `monitoring.ConfigurationBroken`      half a configuration file is saved and reloaded
    `monitoring.RuleAmbiguous`            a rule joins series that it cannot tell apart
    `monitoring.AlertmanagerAdded`        Prometheus also sends to where no Alertmanager is
    `write_ahead.LogFull`                 Prometheus cannot write to its log, and stores nothing
    `monitoring.SlackRefuses`             Slack answers 500, the other channels work
    `backups.NoRoomForBackup`             a backup is begun, and finds no room for its files
    `backups.BackupsForgotten`            one backup is taken, and then no more

All have the shape of `base.Fault`; a new one is a class in a module here, and a line above. Not
here: the alerts that must follow (`scenarios`). Imports what `loadgen` may.
"""
