/**
 * Features followed through the layers of a model. A *track* is a chain of features of adjacent layers, each the other's
 * nearest; every feature is on one, if only by itself.
 */
import { AllLayers } from "./allLayers";
import { isInFrame, type Layer } from "./layer";
import { type Column, Table } from "./parquet";
import type { NamedBytes } from "./table";

export interface FeatureId {
  layer: number;
  /** Feature index. */
  index: number;
}

/** A feature of a track. */
export interface Member extends FeatureId {
  label: string | null;
  /** Cosine to the member before; null for the first. */
  cosine: number | null;
}

export interface TrackEntry {
  track: number;
  label: string | null;
}

/** atlas/tracks.parquet: a row per feature of the model, sorted by track and layer. */
export class Tracks {
  /** By layer and feature index: the row. */
  private readonly rows: number[][] = [];
  private all: Promise<AllLayers> | null = null;

  private constructor(
    private readonly track: Column<number>,
    private readonly layer: Column<number>,
    private readonly index: Column<number>,
    private readonly cosine: Column<number>,
    private readonly label: Column<string>,
  ) {
    for (let row = 0; row < track.length; row++) {
      this.rows[layer[row]!] ??= [];
      this.rows[layer[row]!]![index[row]!] = row;
    }
  }

  /** Throws ContractError, with the file's name, if it is no such table. */
  static async of(file: NamedBytes): Promise<Tracks> {
    const table = new Table(file);
    return new Tracks(
      await table.column<number>("track"),
      await table.column<number>("layer"),
      await table.column<number>("index"),
      await table.column<number>("cosine_previous"),
      await table.column<string>("label"),
    );
  }

  /** By layer: how many features a query finds. Reads the labels' words the first time. */
  async count(query: string): Promise<Map<number, number>> {
    this.all ??= AllLayers.of(this.layer, this.label);
    return (await this.all).count(query);
  }

  /** The features of the track that a feature is on, by layer; none if the table does not have it. */
  trackOf({ layer, index }: FeatureId): Member[] {
    const at = this.rows[layer]?.[index];
    if (at === undefined) return [];
    const of = this.track[at];
    let [first, end] = [at, at + 1];
    while (this.track[first - 1] === of) first--;
    while (this.track[end] === of) end++;
    return Array.from({ length: end - first }, (_, member) => ({
      layer: this.layer[first + member]!,
      index: this.index[first + member]!,
      label: this.label[first + member]?.trim() || null,
      cosine: this.cosine[first + member] ?? null,
    }));
  }

  /** The track that a feature is on, and its label; null if the table does not have it. */
  entryOf({ layer, index }: FeatureId): TrackEntry | null {
    const row = this.rows[layer]?.[index];
    return row === undefined ? null : { track: this.track[row]!, label: this.label[row]?.trim() || null };
  }
}

/** A feature in the list of where the selected one comes from and goes on. */
export interface Stop extends FeatureId {
  /** Undefined until the tracks have been read. */
  label: string | null | undefined;
  /** To the stop before; to the selected feature if that comes next. Null where there is none. */
  cosine: number | null;
  /** On the track; if not, the nearest feature where the track does not go on. */
  onTrack: boolean;
  /** Each is the other's nearest, though a track may ask for more. */
  mutual: boolean;
}

/** The nearest features of a node in the layers before and after its own: null where there is no such layer. */
export function nearestAround(
  { passage }: Layer,
  node: number,
  around: { previous: number | null; next: number | null },
): Record<"previous" | "next", Stop | null> {
  const stop = (side: "previous" | "next"): Stop | null => {
    const nearest = passage?.[side];
    const layer = around[side];
    if (!nearest || layer === null || nearest.index[node]! < 0) return null;
    const mutual = nearest.mutual[node] === 1;
    const cosine = nearest.cosine[node]!;
    return { layer, index: nearest.index[node]!, label: undefined, cosine, onTrack: false, mutual };
  };
  return { previous: stop("previous"), next: stop("next") };
}

/** The members of a track, and beyond its ends the features nearest to the selected one, if that is at an end. */
export function stopsOf(
  members: Member[],
  { previous, next }: ReturnType<typeof nearestAround>,
  selected: FeatureId,
): Stop[] {
  const stops: Stop[] = members.map((member) => ({ ...member, onTrack: true, mutual: true }));
  if (previous !== null && members[0]?.layer === selected.layer) stops.unshift(previous);
  if (next !== null && members.at(-1)?.layer === selected.layer) stops.push(next);
  return stops;
}

/** The node of a track's feature in a layer, or null if the track does not reach it. */
export function nodeOfTrack({ passage }: Layer, track: number): number | null {
  const node = passage?.track.indexOf(track) ?? -1;
  return node < 0 ? null : node;
}

/**
 * By node of `after`: the node of `before` that it comes from, or -1. The same feature if both are maps of one layer, the
 * feature of the same track if both layers lie in one frame; null if points of the two maps have nothing in common.
 */
export function originsOf(before: Layer, after: Layer): Int32Array | null {
  if (before.index === after.index) return Int32Array.from(after.index.keys());
  if (!isInFrame(before) || !isInFrame(after) || before.modelId !== after.modelId) return null;
  const nodes = new Map(Array.from(before.passage!.track, (track, node) => [track, node]));
  return Int32Array.from(after.passage!.track, (track) => nodes.get(track) ?? -1);
}
