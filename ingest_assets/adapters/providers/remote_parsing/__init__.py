"""What paid parsing providers have in common whose work is a remote job: uploaded, waited for, fetched, booked."""
