"""A report in Markdown: printed as it grows, and written whole to a file after every part."""

from pathlib import Path


class Report:
    """Paragraphs and tables."""

    def __init__(self, path: Path):
        self.path, self.parts = path, []

    def say(self, text: str) -> None:
        """Add a paragraph."""
        print(text, end="\n\n", flush=True)
        self.parts.append(text)
        self.path.write_text("\n\n".join(self.parts) + "\n")

    def table(self, title: str, header: list[str], rows: list[list]) -> None:
        """Add a section with a table; numbers keep three digits, None is a dash."""
        lines = ["| " + " | ".join(map(cell, cells)) + " |" for cells in [header, ["---"] * len(header), *rows]]
        self.say(f"## {title}\n\n" + "\n".join(lines))


def cell(value: object) -> str:
    """A value as it stands in a table."""
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
