"""How are the models of a tier trained, together, watched, and found again after a kill?"""
