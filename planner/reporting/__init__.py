"""What people read: tables, the schedule with its commands, pictures, and the files of one run."""
