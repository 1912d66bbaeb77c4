"""placeholder"""


def table() -> str:
    return ""
