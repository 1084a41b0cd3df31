"""Which generators and damages can a self-consuming loop be made of?"""
