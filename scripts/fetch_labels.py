"""Neuronpedia or a local file -> labels.parquet: what each feature means, in words."""

from pathlib import Path

from lib.files import save_record
from lib.job import job_log
from lib.labels import clean, read_lines, save_labels


def local_labels(folder: Path) -> list[dict]:
    """Labels of a folder in Neuronpedia's export layout: explanations/ and, optionally, features/."""
    facts = {int(row["index"]): row for row in read_lines(sorted(folder.glob("features/*.jsonl*")))}
    rows = {}
    for row in read_lines(sorted(folder.glob("explanations/*.jsonl*"))):
        index, label = int(row["index"]), clean(row.get("description") or "")
        if label and index not in rows:
            fact = facts.get(index, {})
            rows[index] = {
                "index": index,
                "label": label,
                "explainer": row.get("explanationModelName"),
                "density": fact.get("frac_nonzero"),
                "max_activation": fact.get("maxActApprox"),
                "top_tokens": fact.get("pos_str"),
            }
    return list(rows.values())


def main(snakemake) -> None:
    """Read, clean, write."""
    with job_log(snakemake) as log:
        rows = local_labels(Path(snakemake.params.sae["labels"]))
        save_labels(snakemake.output.labels, rows)
        save_record(snakemake.output.record, {"source": "local", "labelled": len(rows)})
        log.info("%d features labelled", len(rows))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
