/** The pinned features: ways to pin, their panel, and where they are on the maps. */
import { csvText, indicesText, jsonText, type NamedFeature, type Reading } from "../data/exchange";
import {
  EMPTY_SET,
  type FeatureSet,
  fitsAddress,
  keyOf,
  withFeatures,
  withoutFeatures,
} from "../data/featureSet";
import type { Layer } from "../data/layer";
import { nodesIn } from "../data/regions";
import { SavedSets } from "../data/savedSets";
import { counted, display } from "../data/text";
import type { FeatureId } from "../data/tracks";
import { copyText, type Format } from "../ui/copy";
import { byId } from "../ui/dom";
import { announce, showMessage } from "../ui/notices";
import { PinPanel } from "../ui/pinPanel";
import { outcomeOf, readList, readListFile } from "./lists";
import { neuronpediaOf } from "./navigation";
import type { PageMap } from "./pageMap";
import type { Selection } from "./selection";
import { modelOf, pinsOf, readOf, type State, type Store } from "./state";

/** What is known of a feature of any layer. */
interface Known {
  /** Null without an atlas. */
  track: number | null;
  label: string | null;
}

const UNKNOWN: Known = { track: null, label: null };

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
    onOpen: (name) => this.openSaved(name),
    onCopy: (format) => this.copy(format, pinsOf(this.store.current).members),
  });
  private readonly savedSets = new SavedSets();
  private saved: FeatureSet[] = [];
  /** What the last change replaced. */
  private before: { modelId: string; set: FeatureSet } | null = null;
  /** By model and feature. */
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly store: Store,
    private readonly first: PageMap,
    private readonly second: PageMap,
    private readonly selection: Selection,
  ) {
    selection.onPin = () => this.toggleSelected();
    store.follow(
      ({ layer, beside, pinned }) => [layer, beside.layer, pinned],
      () => {
        this.learn();
        this.locate();
        void this.lookUp();
      },
    );
    store.follow(
      ({ layer }) => [layer?.modelId],
      () => void this.readSaved(),
    );
    store.follow(["layer", "pinned", "pinnedNodes", "hits", "region", "shown"], () => this.show());
    store.follow(["drawing"], ({ drawing }) => {
      this.panel.showDrawing(drawing);
      for (const { canvas } of [first, second]) canvas.classList.toggle("drawing", drawing !== null);
    });
    store.follow(
      (state) => [readOf(state).layer, readOf(state).selected, state.pinned],
      (state) => {
        const { layer, selected } = readOf(state);
        if (layer && selected !== null) selection.panel.showPinned(this.isPinned(layer, selected));
      },
    );
  }

  /** Pins a node; if it is pinned, no longer. */
  toggle(node: number, layer: Layer | null): void {
    if (layer && this.isPinned(layer, node)) this.remove([node], layer);
    else this.add([node], layer);
  }

  /** The feature pointed at, else the selected one. */
  toggleSelected(): void {
    const { current } = this.store;
    const pointed = [current, current.beside].find(({ pointedAt }) => pointedAt !== null);
    const { layer, pointedAt, selected } = pointed ?? readOf(current);
    const node = pointedAt ?? selected;
    if (node !== null) this.toggle(node, layer);
  }

  add(nodes: readonly number[], layer: Layer | null): void {
    if (layer && this.belongs(layer)) this.change((set) => withFeatures(set, featuresOf(layer, nodes)));
  }

  remove(nodes: readonly number[], layer: Layer | null): void {
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
    else this.add(all.nodes, this.store.current.layer);
  }

  togglePanel(): void {
    this.panel.toggle();
  }

  addText(text: string): void {
    const reading = readList(text, this.store.current);
    if (reading) this.take(reading);
  }

  /** Pins the features of a file. Returns false, and changes nothing, if it is no list of features. */
  async addFile(file: File): Promise<boolean> {
    const reading = await readListFile(file, this.store.current);
    if (reading) this.take(reading);
    return reading !== null;
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
    const isMissing = (feature: FeatureId) =>
      feature.layer === layer.layer && nodeOn(layer, feature) === null;
    const features = reading.features.filter((feature) => !isMissing(feature));
    const { members } = withFeatures(EMPTY_SET, features);
    const nodes = members.flatMap((member) => nodeOn(layer, member) ?? []);
    if (members.length > 0) {
      this.change((set) => ({ ...withFeatures(set, members), name: set.name || (reading.name ?? "") }));
      this.panel.open();
      this.first.scene?.flyToAll(nodes);
    }
    const missing = reading.features.length - features.length;
    if (missing > 0) reading.elsewhere.set("not on this map", missing);
    showMessage(outcomeOf(reading, members.length, nodes.length), members.length > 0 ? "note" : "error");
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

  /** The maps of the model that the set belongs to. */
  private get maps(): { store: Store; layer: Layer }[] {
    const { layer: shown } = this.store.current;
    return [this.first, this.second].flatMap(({ store }) => {
      const { layer } = store.current;
      return layer && layer.modelId === shown?.modelId ? [{ store, layer }] : [];
    });
  }

  /** Keeps what the shown layers say of their pinned features for when others are shown. */
  private learn(): void {
    for (const { layer } of this.maps) {
      for (const member of pinsOf(this.store.current).members) {
        const node = nodeOn(layer, member);
        if (node === null) continue;
        const track = layer.passage?.track[node] ?? null;
        this.known.set(keyIn(layer, member), { track, label: layer.labels[node] ?? null });
      }
    }
  }

  /** Finds the pinned features, and those on their tracks, among the nodes of the maps; another model has none. */
  private locate(): void {
    for (const { store } of [this.first, this.second]) {
      const on = this.maps.find((map) => map.store === store);
      const pinnedNodes = on ? this.pinnedOn(on.layer) : [];
      const none = pinnedNodes.length === 0 && store.current.pinnedNodes.length === 0;
      if (!none) store.update({ pinnedNodes });
    }
  }

  private pinnedOn(layer: Layer): number[] {
    const nodes = new Set<number>();
    const tracks = new Set<number>();
    for (const member of pinsOf(this.store.current).members) {
      if (member.layer === layer.layer) nodes.add(nodeOn(layer, member) ?? -1);
      else tracks.add(this.known.get(keyIn(layer, member))?.track ?? -1);
    }
    layer.passage?.track.forEach((track, node) => {
      if (tracks.has(track)) nodes.add(node);
    });
    nodes.delete(-1);
    return [...nodes];
  }

  /** Asks for the tracks and labels of pinned features of layers that were not shown yet. */
  private async lookUp(): Promise<void> {
    const { current } = this.store;
    const { layer } = current;
    const model = modelOf(current);
    if (!layer || !model?.atlas || model.modelId !== layer.modelId) return;
    const features = pinsOf(current).members.filter(
      (member) => member.layer !== layer.layer && !this.known.has(keyIn(layer, member)),
    );
    if (features.length === 0) return;
    const query = { manifestUrl: model.url.href, tracks: model.atlas.tracks, features };
    // Without the tracks, the features of other layers are listed by index.
    const entries = await this.first.worker.entries(query).catch(() => null);
    if (entries === null) return;
    features.forEach((feature, at) => {
      this.known.set(keyIn(layer, feature), entries[at] ?? UNKNOWN);
    });
    this.locate();
    this.show();
  }

  private named(feature: FeatureId, state: State): NamedFeature & { node: number | null } {
    const layer = state.layer!;
    const model = modelOf(state);
    const node = nodeOn(layer, feature);
    const { label } = this.known.get(keyIn(layer, feature)) ?? UNKNOWN;
    const neuronpedia = model ? neuronpediaOf(model, feature.layer) : layer.neuronpedia;
    return { ...feature, label: node === null ? label : (layer.labels[node] ?? null), neuronpedia, node };
  }

  private show(): void {
    const { current } = this.store;
    const { layer, pinnedNodes } = current;
    if (!layer) return;
    const set = pinsOf(current);
    const all = offered(current);
    const own = set.members.filter((member) => member.layer === layer.layer).length;
    byId("pins").textContent =
      set.members.length === 0 ? "Pinned" : `Pinned ${set.members.length.toLocaleString("en")}`;
    this.panel.show({
      set,
      rowOf: (feature) => this.named(feature, current),
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

/** The same for the same feature of a model. */
function keyIn({ modelId }: Layer, feature: FeatureId): string {
  return `${modelId}/${keyOf(feature)}`;
}

/** By the indices of a layer: the node of each. Sets can be as large as the layer. */
const nodesByIndex = new WeakMap<Uint32Array, Map<number, number>>();

/** The node of a feature; null on another layer, and for features that the map does not have. */
function nodeOn({ layer, index: indices }: Layer, { layer: number, index }: FeatureId): number | null {
  if (layer !== number) return null;
  let nodes = nodesByIndex.get(indices);
  if (!nodes) {
    nodes = new Map(Array.from(indices, (value, node) => [value, node]));
    nodesByIndex.set(indices, nodes);
  }
  return nodes.get(index) ?? null;
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
