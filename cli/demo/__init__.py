"""`uncap demo`: the main job, unattended, through the public endpoints; fails if anything does not add up."""
