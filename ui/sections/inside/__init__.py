"""The page inside a head: its numbers step by step, attention by hand, positions, many heads or one."""
