/** What the page shows. This is the only copy: controls change it, and every part of the page follows it. */
import type { Colored, Coloring, Theme } from "../colors";
import { type Relation, relationOf } from "../data/comparison";
import type { ModelEntry } from "../data/contract";
import { EMPTY_SET, type FeatureSet } from "../data/featureSet";
import { type Filters, NO_FILTERS } from "../data/filter";
import type { Layer } from "../data/layer";
import type { Model } from "../data/published";
import type { Hits } from "../data/search";
import { type FeatureId, nodeOfTrack } from "../data/tracks";

/** A published layer, or a file of the visitor's own. */
export type Origin = { kind: "published"; modelId: string; layer: number } | { kind: "file"; name: string };

export type Source = Origin & { fromCache: boolean };

/** A feature of which the other features of its track are shown. */
export interface Followed extends FeatureId {
  track: number;
  label: string | null;
}

/** A shape that a drag on the map draws around features, to pin them. */
export type Drawing = "box" | "lasso";

/** One map: its layer, and what is selected, found and shown there. */
export interface Half {
  /** Null until it has loaded. */
  layer: Layer | null;
  /** The selected node. */
  selected: number | null;
  /** The chosen region of the layer, while no feature is selected. */
  region: number | null;
  /** The node under the pointer, or pointed at in a list. */
  pointedAt: number | null;
  /** What the search finds on this map, at first for an earlier query; null without a search or its first result. */
  hits: (Hits & { query: string }) | null;
  /** (count,) 1 for each node that the filters show; null if that is all of them. */
  shown: Uint8Array | null;
  /** The nodes that are pinned, or go on from a pinned feature of another layer. */
  pinnedNodes: number[];
  /** The nodes on no track that reaches the layer compared with, if they are to stand out. */
  alone: number[] | null;
  /** The colours, and what they mean. */
  colored: Colored | null;
}

/** A published layer of a published model, to be compared. */
export interface Compared {
  modelId: string;
  layer: number;
  /** Index of the feature to select there once it has loaded. */
  feature?: number;
}

export interface State extends Half {
  /** The published models. */
  models: ModelEntry[];
  /** The manifests read so far, by model. */
  manifests: Readonly<Record<string, Model>>;
  /** The published layer that is shown or on its way, its number once known; null for a file of the visitor's own. */
  wanted: { modelId: string; layer: number | null } | null;
  /** Where the map that is shown comes from. */
  source: Source | null;
  /** The selected feature; on a layer that its track does not reach, the one selected last. Null without an atlas. */
  followed: Followed | null;
  /** The layer that is compared with the one shown, on a second map beside it; null without a comparison. */
  compared: Compared | null;
  /** That map; its layer is null until it has loaded. What the two have in common is in the rest of the state. */
  beside: Half;
  /** True if the feature was selected on that map. The panel shows it, and the first map the same track. */
  inBeside: boolean;
  /** The pinned features, by model. */
  pinned: Readonly<Record<string, FeatureSet>>;
  /** What drags on the map draw instead of turning it. */
  drawing: Drawing | null;
  /** Which map is shown of a layer that lies in the frame of all layers. */
  map: keyof Layer["maps"];
  /** As typed; "" without a search. */
  query: string;
  /** As chosen. A layer without data for it is coloured by links. */
  coloring: Coloring;
  /** As chosen, for this layer and others. */
  filters: Filters;
  /** True if features that never fire are shown, too. */
  silentShown: boolean;
  theme: Theme;
  labelsVisible: boolean;
  linksVisible: boolean;
  /** The lowest cosine of a link that is drawn; null: the strongest links, as many as do not hide the map. */
  minCosine: number | null;
  /** Where the camera last rested: eye and target, six numbers. */
  camera: number[] | null;
  /** True while an address is being opened: what changes meanwhile is no step of the visitor's. */
  opening: boolean;
}

export const EMPTY_HALF: Half = {
  layer: null,
  selected: null,
  region: null,
  pointedAt: null,
  hits: null,
  shown: null,
  pinnedNodes: [],
  alone: null,
  colored: null,
};

export const INITIAL: State = {
  ...EMPTY_HALF,
  models: [],
  manifests: {},
  wanted: null,
  source: null,
  followed: null,
  compared: null,
  beside: EMPTY_HALF,
  inBeside: false,
  pinned: {},
  drawing: null,
  map: "frame",
  query: "",
  coloring: "links",
  filters: NO_FILTERS,
  silentShown: false,
  theme: "dark",
  labelsVisible: true,
  linksVisible: true,
  minCosine: null,
  camera: null,
  opening: true,
};

/** The chosen model; null until its manifest has been read, and for a file of the visitor's own. */
export function modelOf({ wanted, manifests }: State): Model | null {
  return wanted === null ? null : (manifests[wanted.modelId] ?? null);
}

/** The pinned features of the model that is shown. */
export function pinsOf({ layer, pinned }: State): FeatureSet {
  return (layer && pinned[layer.modelId]) ?? EMPTY_SET;
}

/** The layer `by` steps after the chosen one, or null at the ends. */
export function layerAfter(state: State, by: number): number | null {
  const layers = modelOf(state)?.layers ?? [];
  const at = layers.findIndex(({ layer }) => layer === state.wanted?.layer);
  return at < 0 ? null : (layers[at + by]?.layer ?? null);
}

/** The layers of the frame of a model, in order. */
export function framedLayers(model: Model | undefined): number[] {
  return model?.layers.filter(({ frame }) => frame !== undefined).map(({ layer }) => layer) ?? [];
}

/** How a feature goes on in another layer; null where no tracks join the layers. */
export function relationTo({ manifests }: State, from: Layer, node: number, to: Layer): Relation | null {
  const layers = framedLayers(manifests[to.modelId]);
  return relationOf(from, node, to, layers.indexOf(to.layer) - layers.indexOf(from.layer));
}

/** The map on which the selected feature was selected. */
export function readOf(state: State): Half {
  return state.inBeside ? state.beside : state;
}

/** Index of the feature that was, or is to be, selected beside the first map; null if none is. */
export function featureBeside({ compared, beside, inBeside }: State): number | null {
  if (!inBeside) return compared?.feature ?? null;
  const { layer, selected } = beside;
  // Until the layer that is to be compared has arrived, the selection is on the one before.
  const arrived = layer?.modelId === compared?.modelId && layer?.layer === compared?.layer;
  return arrived && selected !== null ? (layer?.index[selected] ?? null) : null;
}

type Selected = Pick<State, "selected" | "followed" | "region" | "pointedAt" | "inBeside">;

const NOTHING: Selected = {
  selected: null,
  followed: null,
  region: null,
  pointedAt: null,
  inBeside: false,
};

/** The change of state that selects a node, or nothing. */
export function selecting(layer: Layer, node: number | null): Selected {
  const track = node === null ? undefined : layer.passage?.track[node];
  if (node === null || track === undefined) return { ...NOTHING, selected: node };
  const followed = {
    layer: layer.layer,
    index: layer.index[node]!,
    label: layer.labels[node] ?? null,
    track,
  };
  return { ...NOTHING, selected: node, followed };
}

/** The change of state that chooses a region, or nothing. */
export function choosing(region: number | null): Selected {
  return { ...NOTHING, region };
}

/** The change of state that selects, on another layer, the feature of the track that is followed. */
export function following(state: State, layer: Layer): Selected {
  const { followed } = state;
  const { layer: before } = readOf(state);
  const goesOn = followed !== null && layer.passage !== null && before?.modelId === layer.modelId;
  if (!goesOn) return selecting(layer, null);
  const node = nodeOfTrack(layer, followed.track);
  return node === null ? { ...NOTHING, followed } : selecting(layer, node);
}

/** The change of state that selects a node of the map beside the first, or nothing, and the same track on the first. */
export function selectingBeside({ layer, beside }: State, node: number | null): Partial<State> {
  const there = selecting(beside.layer!, node);
  const { followed } = there;
  const joined = layer !== null && followed !== null && layer.modelId === beside.layer!.modelId;
  return {
    ...there,
    selected: joined && layer.passage !== null ? nodeOfTrack(layer, followed.track) : null,
    inBeside: node !== null,
    beside: { ...beside, selected: node, region: null, pointedAt: null },
  };
}

/** The change of state that chooses a region of the map beside the first, or nothing. */
export function choosingBeside({ beside }: State, region: number | null): Partial<State> {
  return { ...NOTHING, beside: { ...beside, selected: null, region, pointedAt: null } };
}

type Listener = (state: Readonly<State>) => void;

export class Store {
  private readonly followers: (() => void)[] = [];

  constructor(private state: Readonly<State>) {}

  get current(): Readonly<State> {
    return this.state;
  }

  /**
   * Calls `listener` now, and whenever one of these values is not what it was at the last call; listeners are called in
   * the order they were added.
   */
  follow(followed: (keyof State)[] | ((state: State) => unknown[]), listener: Listener): void {
    const valuesOf =
      typeof followed === "function" ? followed : (state: State) => followed.map((key) => state[key]);
    let before: unknown[] | null = null;
    const follower = () => {
      const values = valuesOf(this.state);
      if (before?.every((value, at) => value === values[at])) return;
      before = values;
      listener(this.state);
    };
    this.followers.push(follower);
    follower();
  }

  update(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const follower of this.followers) follower();
  }
}

/** The state as the map beside the first has it: its own half, which it can change, and the rest in common with the first. */
export class StoreBeside extends Store {
  constructor(private readonly page: Store) {
    super(stateBeside(page.current));
    page.follow(
      (state) => [state],
      (state) => super.update(stateBeside(state)),
    );
  }

  override update(half: Partial<Half>): void {
    this.page.update({ beside: { ...this.page.current.beside, ...half } });
  }
}

function stateBeside(state: State): State {
  return { ...state, ...state.beside, wanted: state.compared, source: null };
}
