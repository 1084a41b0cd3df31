"""Which statistics tell a candidate from a fresh sample of the original?"""
