"""A configuration read, checked, and cut into what each rule depends on, before any job."""
