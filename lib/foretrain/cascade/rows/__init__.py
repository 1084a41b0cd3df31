"""How do the rows of two datasets become arms of arrays, and the rows that judge?"""
