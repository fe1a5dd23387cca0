"""Documents written from template files: README.md of a release, the card of a dataset."""

from pathlib import Path

import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lib.products.columns import FEATURE_COLUMNS, FRAME_COLUMNS, TRACK_COLUMNS


def type_name(kind: pa.DataType) -> str:
    """The type of a column in words, such as list of int32."""
    if pa.types.is_list(kind):
        return f"list of {type_name(kind.value_type)}"
    if pa.types.is_struct(kind):
        return f"({', '.join(field.name for field in kind)})"
    return "float32" if kind == pa.float32() else str(kind)


def render(template: Path, **values: object) -> bytes:
    """The document of `template` and `values`, whose markup is escaped: the same bytes for the same values."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"thousands": "{:,}".format, "type_name": type_name}
    environment.globals["columns"] = {"features": FEATURE_COLUMNS, "frame": FRAME_COLUMNS, "tracks": TRACK_COLUMNS}
    return environment.get_template(template.name).render(values).encode()
