"""How much worse are the models of one arm than those of another, and how sure is that?"""
