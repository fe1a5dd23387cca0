/** The pinned features: ways to pin, their panel, and where they are on the map. */
import {
  csvText,
  indicesText,
  jsonText,
  type NamedFeature,
  type Reading,
  readFeatures,
  type Scope,
} from "../data/exchange";
import {
  EMPTY_SET,
  type FeatureSet,
  fitsAddress,
  keyOf,
  withFeatures,
  withoutFeatures,
} from "../data/featureSet";
import type { Layer } from "../data/layer";
import type { LayerWorker } from "../data/layerWorker";
import { layerEntry } from "../data/published";
import { nodesIn } from "../data/regions";
import { SavedSets } from "../data/savedSets";
import { counted, display } from "../data/text";
import type { FeatureId } from "../data/tracks";
import type { MapScene } from "../scene/mapScene";
import { copyText, type Format } from "../ui/copy";
import { byId } from "../ui/dom";
import { announce, showMessage } from "../ui/notices";
import { PinPanel } from "../ui/pinPanel";
import type { Selection } from "./selection";
import { modelOf, onChange, pinsOf, readOf, type State, type Store } from "./state";

/** What is known of a feature of any layer. */
interface Known {
  /** Null without an atlas. */
  track: number | null;
  label: string | null;
}

/** Bytes: larger files are no lists. */
const LARGEST_LIST = 64 * 1024 * 1024;

export class Pins {
  private readonly panel = new PinPanel({
    onWalk: (feature) => this.selection.onLeave(feature),
    onPreview: (node) => this.store.update({ pointedAt: node }),
    onRemove: (feature) => this.change((set) => withoutFeatures(set, [feature])),
    onName: (name) => this.change((set) => ({ ...set, name: name.trim() })),
    onText: (text) => this.addText(text),
    onPinAll: () => this.pinAll(),
    onClear: () => this.change(() => EMPTY_SET),
    onDrawing: (drawing) => this.store.update({ drawing }),
    onUndo: () => this.undo(),
    onSave: () => void this.save(),
    onForget: () => void this.forget(),
    onOpen: (name) => void this.openSaved(name),
    onCopy: (format) => this.copy(format, pinsOf(this.store.current).members),
  });
  private readonly savedSets = new SavedSets();
  private saved: FeatureSet[] = [];
  /** What the last change replaced. */
  private before: { modelId: string; set: FeatureSet } | null = null;
  /** By model and feature. */
  private readonly known = new Map<string, Known>();
  private nodeOf: { layer: Layer | null; byIndex: Map<number, number> } = { layer: null, byIndex: new Map() };

  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
    private readonly worker: LayerWorker,
    private readonly selection: Selection,
  ) {
    selection.onPin = () => this.toggleSelected();
    store.follow(["shown"], () => this.show());
    let modelId: string | undefined;
    store.follow(["layer", "pinned"], (state) => {
      this.learn(state);
      this.locate(state);
      void this.lookUp(state);
      if (state.layer?.modelId !== modelId) void this.readSaved();
      modelId = state.layer?.modelId;
    });
    store.follow(["layer", "pinned", "pinnedNodes", "hits", "region"], () => this.show());
    store.follow(["drawing"], ({ drawing }) => {
      this.panel.showDrawing(drawing);
      for (const id of ["map", "other-map"]) byId(id).classList.toggle("drawing", drawing !== null);
    });
    store.follow(["layer", "pinned", "selected", "inBeside", "beside"], (state) => {
      const { layer, selected } = readOf(state);
      if (layer && selected !== null) selection.panel.showPinned(this.isPinned(layer, selected));
    });
    store.follow(
      ["beside"],
      onChange(
        ({ beside }) => [beside.layer],
        (state) => this.locateBeside(state),
      ),
    );
  }

  /** Pins nodes; if all of them are pinned, no longer. */
  toggle(nodes: readonly number[], layer = this.store.current.layer): void {
    if (!layer || nodes.length === 0) return;
    const pinned = nodes.every((node) => this.isPinned(layer, node));
    if (pinned) this.remove(nodes, layer);
    else this.add(nodes, layer);
  }

  /** The feature pointed at, else the selected one. */
  toggleSelected(): void {
    const { current } = this.store;
    const pointed = [current, current.beside].find(({ pointedAt }) => pointedAt !== null);
    const { layer, pointedAt, selected } = pointed ?? readOf(current);
    const node = pointedAt ?? selected;
    if (node !== null) this.toggle([node], layer);
  }

  add(nodes: readonly number[], layer = this.store.current.layer): void {
    if (layer && this.belongs(layer)) this.change((set) => withFeatures(set, featuresOf(layer, nodes)));
  }

  remove(nodes: readonly number[], layer = this.store.current.layer): void {
    if (layer && this.belongs(layer)) this.change((set) => withoutFeatures(set, featuresOf(layer, nodes)));
  }

  /** A set belongs to the model of the first map. */
  private belongs({ modelId, displayName }: Layer): boolean {
    const same = modelId === this.store.current.layer?.modelId;
    if (!same) showMessage(`To pin features of ${displayName}, show it as the first map.`, "note");
    return same;
  }

  /** Pins the features of the chosen region, or else what the search finds, or else what the filters show. */
  pinAll(): void {
    const all = offered(this.store.current);
    if (all === null) announce("Nothing to pin: search, filter, or choose a region");
    else this.add(all.nodes);
  }

  togglePanel(): void {
    this.panel.toggle();
  }

  addText(text: string): void {
    const scope = scopeOf(this.store.current);
    if (scope) this.take(readFeatures(text, scope));
  }

  /** Pins the features of a file. Returns false, and changes nothing, if it is no list of features. */
  async addFile(file: File): Promise<boolean> {
    const scope = scopeOf(this.store.current);
    if (!scope || file.size > LARGEST_LIST || file.name.endsWith(".gz")) return false;
    const text = await file.text().catch(() => "");
    // A layer file.
    if (text.includes('"featureId"')) return false;
    const reading = readFeatures(text, scope);
    const understood = reading.features.length + sum(reading.elsewhere.values());
    if (understood <= reading.unreadable.length) return false;
    this.take(reading);
    return true;
  }

  /** The pinned features, or else the selected one. */
  get chosen(): readonly FeatureId[] {
    const { current } = this.store;
    const { members } = pinsOf(current);
    if (members.length > 0 || !current.layer || current.selected === null) return members;
    return featuresOf(current.layer, [current.selected]);
  }

  copy(format: Format, features: readonly FeatureId[]): Promise<string> {
    const { current } = this.store;
    const { modelId } = current.layer!;
    const named = () => features.map((feature) => this.named(feature, current));
    const text = {
      indices: () => indicesText(features),
      json: () => jsonText(modelId, pinsOf(current).name, named()),
      csv: () => csvText(modelId, named()),
    }[format]();
    return copyText(text, counted(features.length, "feature"));
  }

  private take(reading: Reading): void {
    const layer = this.store.current.layer!;
    const { byIndex } = this.nodesByIndex(layer);
    const here = (feature: FeatureId) => feature.layer === layer.layer;
    const features = reading.features.filter((feature) => !here(feature) || byIndex.has(feature.index));
    const { members } = withFeatures(EMPTY_SET, features);
    const nodes = members.filter(here).map(({ index }) => byIndex.get(index)!);
    if (members.length > 0) {
      this.change((set) => ({ ...withFeatures(set, members), name: set.name || (reading.name ?? "") }));
      this.panel.open();
      this.scene?.flyToAll(nodes);
    }
    const missing = reading.features.length - features.length;
    if (missing > 0) reading.elsewhere.set("not on this map", missing);
    showMessage(describe(reading, members.length, nodes.length), members.length > 0 ? "note" : "error");
  }

  private change(change: (set: FeatureSet) => FeatureSet): void {
    const { layer, pinned } = this.store.current;
    if (!layer) return;
    const { modelId } = layer;
    const set = pinsOf(this.store.current);
    const next = change(set);
    this.before = { modelId, set };
    this.store.update({ pinned: { ...pinned, [modelId]: next } });
    if (next.members.length !== set.members.length) {
      const by = next.members.length - set.members.length;
      const verb = by > 0 ? "pinned" : "no longer pinned";
      announce(
        `${counted(Math.abs(by), "feature")} ${verb}, ${next.members.length.toLocaleString("en")} in all`,
      );
    }
  }

  private undo(): void {
    const { before } = this;
    if (before?.modelId === this.store.current.layer?.modelId) this.change(() => before!.set);
  }

  private isPinned(layer: Layer, node: number): boolean {
    const key = keyOf(featuresOf(layer, [node])[0]!);
    const set = this.store.current.pinned[layer.modelId] ?? EMPTY_SET;
    return set.members.some((member) => keyOf(member) === key);
  }

  private nodesByIndex(layer: Layer): { byIndex: Map<number, number> } {
    if (this.nodeOf.layer?.index !== layer.index) {
      this.nodeOf = { layer, byIndex: new Map(Array.from(layer.index, (index, node) => [index, node])) };
    }
    return this.nodeOf;
  }

  /** Keeps what the shown layer says of its pinned features for when another layer is shown. */
  private learn(state: State): void {
    const { layer } = state;
    if (!layer) return;
    const { byIndex } = this.nodesByIndex(layer);
    for (const member of pinsOf(state).members) {
      const node = member.layer === layer.layer ? byIndex.get(member.index) : undefined;
      if (node === undefined) continue;
      const track = layer.passage?.track[node] ?? null;
      this.known.set(`${layer.modelId}/${keyOf(member)}`, { track, label: layer.labels[node] ?? null });
    }
  }

  /** Finds the pinned features, and those on their tracks, among the nodes of the map. */
  private locate(state: State): void {
    const { layer } = state;
    if (!layer) return;
    const nodes = this.pinnedOn(layer, state, this.nodesByIndex(layer).byIndex);
    const same = nodes.length === 0 && state.pinnedNodes.length === 0;
    if (!same) this.store.update({ pinnedNodes: nodes });
    this.locateBeside(this.store.current);
  }

  /** The same on the map beside the first. */
  private locateBeside(state: State): void {
    const { layer, beside } = state;
    if (!beside.layer) return;
    const byIndex = new Map(Array.from(beside.layer.index, (index, node) => [index, node]));
    const shown = layer?.modelId === beside.layer.modelId;
    const pinnedNodes = shown ? this.pinnedOn(beside.layer, state, byIndex) : [];
    const same = pinnedNodes.length === 0 && beside.pinnedNodes.length === 0;
    if (!same) this.store.update({ beside: { ...this.store.current.beside, pinnedNodes } });
  }

  private pinnedOn(layer: Layer, state: State, byIndex: Map<number, number>): number[] {
    const nodes = new Set<number>();
    const tracks = new Set<number>();
    for (const member of pinsOf(state).members) {
      if (member.layer === layer.layer) nodes.add(byIndex.get(member.index) ?? -1);
      else tracks.add(this.known.get(`${layer.modelId}/${keyOf(member)}`)?.track ?? -1);
    }
    layer.passage?.track.forEach((track, node) => {
      if (tracks.has(track)) nodes.add(node);
    });
    nodes.delete(-1);
    return [...nodes];
  }

  /** Asks for the tracks and labels of pinned features of layers that were not shown yet. */
  private async lookUp(state: State): Promise<void> {
    const { layer } = state;
    const model = modelOf(state);
    if (!layer || !model?.atlas || model.modelId !== layer.modelId) return;
    const key = (feature: FeatureId) => `${model.modelId}/${keyOf(feature)}`;
    const features = pinsOf(state).members.filter(
      (member) => member.layer !== layer.layer && !this.known.has(key(member)),
    );
    if (features.length === 0) return;
    const query = { manifestUrl: model.url.href, tracks: model.atlas.tracks, features };
    // Without the tracks, the features of other layers are listed by index.
    const entries = await this.worker.entries(query).catch(() => null);
    if (entries === null) return;
    features.forEach((feature, at) => {
      this.known.set(key(feature), entries[at] ?? { track: null, label: null });
    });
    this.locate(this.store.current);
    this.show();
  }

  private named(feature: FeatureId, state: State): NamedFeature {
    const layer = state.layer!;
    const model = modelOf(state);
    const { label = null } = this.known.get(`${layer.modelId}/${keyOf(feature)}`) ?? {};
    const node =
      feature.layer === layer.layer ? this.nodesByIndex(layer).byIndex.get(feature.index) : undefined;
    const sourceId = model && layerEntry(model, feature.layer)?.sourceId;
    const neuronpedia = model
      ? model.neuronpediaModelId && sourceId
        ? { modelId: model.neuronpediaModelId, sourceId }
        : null
      : layer.neuronpedia;
    return { ...feature, label: node === undefined ? label : (layer.labels[node] ?? null), neuronpedia };
  }

  private show(): void {
    const { current } = this.store;
    const { layer, pinnedNodes } = current;
    if (!layer) return;
    const { byIndex } = this.nodesByIndex(layer);
    const set = pinsOf(current);
    const all = offered(current);
    const own = set.members.filter((member) => member.layer === layer.layer).length;
    byId("pins").textContent =
      set.members.length === 0 ? "Pinned" : `Pinned ${set.members.length.toLocaleString("en")}`;
    this.panel.show({
      set,
      rowOf: (feature) => ({
        ...this.named(feature, current),
        node: feature.layer === layer.layer ? (byIndex.get(feature.index) ?? null) : null,
      }),
      layer: layer.layer,
      onLayer: own,
      followed: Math.max(0, pinnedNodes.length - own),
      offer: all && `Pin all ${all.nodes.length.toLocaleString("en")} ${all.what}`,
      undoable: this.before?.modelId === layer.modelId,
      tooLong: current.source?.kind === "published" && !fitsAddress(set),
      saved: this.saved.map(({ name }) => name),
    });
  }

  private async readSaved(): Promise<void> {
    const { layer } = this.store.current;
    if (!layer) return;
    // A browser that stores nothing has no sets either.
    const saved = await this.savedSets.of(layer.modelId).catch(() => []);
    if (this.store.current.layer?.modelId !== layer.modelId) return;
    this.saved = saved;
    this.show();
  }

  private async save(): Promise<void> {
    const { current } = this.store;
    const set = pinsOf(current);
    try {
      await this.savedSets.save(current.layer!.modelId, set);
      announce(`Saved: ${display(set.name, 80)}`);
    } catch {
      showMessage("This browser stores nothing: copy the set as JSON to keep it.");
    }
    await this.readSaved();
  }

  private async forget(): Promise<void> {
    const { current } = this.store;
    await this.savedSets.remove(current.layer!.modelId, pinsOf(current).name).catch(() => {});
    await this.readSaved();
  }

  private openSaved(name: string): void {
    const set = this.saved.find((saved) => saved.name === name);
    if (set) this.change(() => set);
  }
}

function featuresOf({ layer, index }: Layer, nodes: readonly number[]): FeatureId[] {
  return nodes.map((node) => ({ layer, index: index[node]! }));
}

/** What can be pinned at once: the region, what the search finds, or what the filters show. */
function offered({ layer, region, hits, filters, shown }: State): { nodes: number[]; what: string } | null {
  if (layer === null) return null;
  if (region !== null) return { nodes: nodesIn(layer, region), what: "of the region" };
  if (hits !== null && hits.best > 0)
    return { nodes: hits.nodes.slice(0, hits.best), what: "search results" };
  if (shown === null || Object.keys(filters).length === 0) return null;
  return { nodes: [...layer.index.keys()].filter((node) => shown[node]), what: "within the filters" };
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

/** What became of a text. */
function describe({ unreadable, elsewhere, ofUnknownSae }: Reading, taken: number, here: number): string {
  const quoted = unreadable.slice(0, 3).map((text) => `“${display(text, 40)}”`);
  const more = unreadable.length - quoted.length;
  const parts = [
    taken === 0
      ? "No feature of this model found."
      : `${counted(taken, "feature")} pinned, ${here} on this layer.`,
    ...Array.from(elsewhere, ([reason, count]) => `Left out: ${count.toLocaleString("en")} ${reason}.`),
    ...(quoted.length > 0
      ? [`Not understood: ${quoted.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`]
      : []),
    ...(taken > 0 && ofUnknownSae
      ? ["The graph does not name its SAEs: its features are these only if the map is of the same ones."]
      : []),
  ];
  return parts.join(" ");
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
