"""Places, people, rights, policy versions, trail, jobs, notices and files: what every other app stands on."""
