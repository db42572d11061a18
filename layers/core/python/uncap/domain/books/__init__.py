"""The books of the channel: accounts of what is owed and not sent, their months, credit notes and corrections."""
