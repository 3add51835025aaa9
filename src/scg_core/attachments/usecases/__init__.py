"""What is done with attachments and the tokens that open things."""
