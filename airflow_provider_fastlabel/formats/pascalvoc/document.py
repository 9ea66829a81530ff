"""XML files are parsed, in whatever encoding they are, and objects found again by their lines."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.parsers import expat

_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z][\w.:-]*)["']""")
_CODES = expat.errors.codes
# What is written is often the larger set of characters that browsers and Windows take these names for.
_LARGER = {
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
}


class XmlError(Exception):
    """A file that is no readable XML.

    :ivar line: where it breaks off, if that is known.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line: int | None = line


class Document:
    """One XML file.

    :param data: its bytes.
    :raises XmlError: it is not well-formed, or not in the encoding it declares.

    :ivar root: its root element.
    """

    __slots__ = ("_lines", "_source", "root")

    def __init__(self, data: bytes) -> None:
        self._lines: list[int] | None = None
        self._source: bytes | str = data
        try:
            self.root: ElementTree.Element = ElementTree.fromstring(data)
            return
        except ElementTree.ParseError as error:
            decoded = _declared_otherwise(data, error)
            if decoded is None:
                raise _explained(data, error) from None
        except (ValueError, LookupError):
            # Expat knows the encodings of Unicode and those of one byte a character.
            decoded = _decoded(data)
        self._source = decoded
        try:
            self.root = ElementTree.fromstring(decoded)
        except ElementTree.ParseError as error:
            raise XmlError(f"not well-formed XML: {error}", error.position[0]) from None

    def may_have(self, opening: bytes) -> bool:
        """Tell whether a look at the tree can find an element.

        :param opening: the beginning of its start tag.
        :returns: false if the file surely has none.
        """
        data = self._source
        if isinstance(data, str):
            return opening.decode("ascii") in data
        return opening in data or data[:1] != b"<" or data[1:2] == b"\0"

    def line_of(self, wanted: int) -> int:
        """Find an object again.

        :param wanted: number of an ``object`` below the root, from 0.
        :returns: its line.
        """
        if self._lines is None:
            self._lines = self._object_lines()
        return self._lines[wanted]

    def _object_lines(self) -> list[int]:
        """Return the line of each object, by reading the file once more."""
        parser = expat.ParserCreate()
        lines: list[int] = []
        depth = 0

        def start(tag: str, _: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth == 2 and tag == "object":
                lines.append(parser.CurrentLineNumber)

        def end(_: str) -> None:
            nonlocal depth
            depth -= 1

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.Parse(self._source, True)
        # Functions that know the parser that knows them live until the collector comes, which may be paused.
        parser.StartElementHandler = parser.EndElementHandler = None
        return lines


def _decoded(data: bytes) -> str:
    """Decode a file by Python's codecs."""
    found = _DECLARATION.match(data)
    if found is None:
        raise XmlError("not readable as XML: its encoding is unknown")
    declared = found[1].decode("ascii")
    larger = _LARGER.get(declared.lower())
    try:
        return data.decode(declared)
    except LookupError:
        raise XmlError(f"it declares the encoding {declared!r}, which is unknown: save it as UTF-8") from None
    except UnicodeDecodeError as error:
        try:
            return data.decode(larger or declared)
        except UnicodeDecodeError:
            line = data.count(b"\n", 0, error.start) + 1
            raise XmlError(f"it is not in the encoding {declared!r} that it declares: save it as UTF-8", line) from None


def _declared_otherwise(data: bytes, error: ElementTree.ParseError) -> str | None:
    """Decode what expat took for another encoding: shifts within ASCII, and UTF-8 that is declared as UTF-16."""
    found = _DECLARATION.match(data)
    declared = found[1].lower() if found else b""
    if declared.startswith(b"iso-2022-"):
        return _decoded(data)
    if error.code == _CODES[expat.errors.XML_ERROR_INCORRECT_ENCODING] and declared.startswith(b"utf-16"):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return None


def _explained(data: bytes, error: ElementTree.ParseError) -> XmlError:
    """Say what keeps a file from being XML: often nothing but its encoding."""
    line = error.position[0]
    if error.code == _CODES[expat.errors.XML_ERROR_INVALID_TOKEN]:
        found = _DECLARATION.match(data)
        if found is None or found[1].lower().replace(b"_", b"-") in (b"utf-8", b"utf8"):
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as wrong:
                says = "declares no encoding" if found is None else "declares UTF-8"
                line = data.count(b"\n", 0, wrong.start) + 1
                return XmlError(f"not UTF-8 text, although it {says}: save it as UTF-8, or declare its encoding", line)
    return XmlError(f"not well-formed XML: {error}", line)
