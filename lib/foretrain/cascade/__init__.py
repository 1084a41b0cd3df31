"""What does training on this dataset do to small models?"""
