"""People and things that messages go to: contacts, groups, what is known of them."""
