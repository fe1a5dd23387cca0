/** Lists of features that a visitor brings: texts and files. */
import { type Reading, readFeatures, type Scope } from "../data/exchange";
import { counted, display } from "../data/text";
import { modelOf, type State } from "./state";

/** Bytes: larger files are no lists. */
const LARGEST = 64 * 1024 * 1024;

/** Null while no layer is shown. */
export function readList(text: string, state: State): Reading | null {
  const scope = scopeOf(state);
  return scope && readFeatures(text, scope);
}

/** Null if the file is no list of features. */
export async function readListFile(file: File, state: State): Promise<Reading | null> {
  if (file.size > LARGEST || file.name.endsWith(".gz")) return null;
  const text = await file.text().catch(() => "");
  // A layer file.
  if (text.includes('"featureId"')) return null;
  const reading = readList(text, state);
  if (reading === null) return null;
  const elsewhere = [...reading.elsewhere.values()].reduce((total, count) => total + count, 0);
  return reading.features.length + elsewhere > reading.unreadable.length ? reading : null;
}

function scopeOf(state: State): Scope | null {
  const { layer } = state;
  if (!layer) return null;
  const model = modelOf(state);
  const { neuronpedia } = layer;
  const layers = model?.layers ?? [{ layer: layer.layer, sourceId: neuronpedia?.sourceId }];
  const known = model ? model.neuronpediaModelId : neuronpedia?.modelId;
  return {
    models: new Set([layer.modelId, ...(known ? [known] : [])]),
    layer: layer.layer,
    sources: new Map(layers.map((entry) => [entry.layer, entry.sourceId ?? null])),
  };
}

/** What became of a list: how many of its features are pinned, and how many of those are on the layer that is shown. */
export function outcomeOf(reading: Reading, pinned: number, here: number): string {
  const { unreadable, elsewhere, ofUnknownSae } = reading;
  const quoted = unreadable.slice(0, 3).map((text) => `“${display(text, 40)}”`);
  const more = unreadable.length - quoted.length;
  const parts = [
    pinned === 0
      ? "No feature of this model found."
      : `${counted(pinned, "feature")} pinned, ${here} on this layer.`,
    ...Array.from(elsewhere, ([reason, count]) => `Left out: ${count.toLocaleString("en")} ${reason}.`),
    ...(quoted.length > 0
      ? [`Not understood: ${quoted.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`]
      : []),
    ...(pinned > 0 && ofUnknownSae
      ? ["The graph does not name its SAEs: its features are these only if the map is of the same ones."]
      : []),
  ];
  return parts.join(" ");
}
