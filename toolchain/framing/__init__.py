"""The framing of file formats, read with bounds: sizes, counts and offsets are checked before they are followed.

Parsers make objects of whatever a file asks for. Every file that may come from a stranger goes through here first, so
that what a parser then sees is as small as it says, and a hostile one ends in one sentence.
"""
