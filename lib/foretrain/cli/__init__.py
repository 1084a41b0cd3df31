"""What can be asked of Foretrain from a terminal?"""
