"""What is done with contacts, groups, fast access and jobs."""
