"""Which generators make children of texts and images? (Those of tables are `foretrain.collapse.loops`.)"""
