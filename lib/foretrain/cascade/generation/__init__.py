"""What would one more generation be?"""
