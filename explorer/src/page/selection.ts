/** The selected feature: its panel, and the ways to select another. */
import { inOneFrame } from "../data/comparison";
import { linkCount } from "../data/layer";
import { counted, display } from "../data/text";
import type { FeatureId } from "../data/tracks";
import { byId } from "../ui/dom";
import { FeaturePanel } from "../ui/featurePanel";
import { announce } from "../ui/notices";
import type { PageMap } from "./pageMap";
import { readOf, relationTo, type State, type Store, selecting, selectingBeside } from "./state";

export class Selection {
  readonly panel = new FeaturePanel({
    onWalk: (node) => this.select(node, { fly: true }),
    onPreview: (node) => this.map.store.update({ pointedAt: node }),
    onLeave: (feature) => this.onLeave(feature),
    onRegion: (region) => this.onRegion(region),
    onFly: () => this.fly(),
    onPin: () => this.onPin(),
    onClose: () => this.select(null),
  });
  /** Called for a feature of another layer. */
  onLeave: (feature: FeatureId) => void = () => {};
  /** Called to pin the selected feature, or no longer. */
  onPin: () => void = () => {};
  /** Called for a region around the selected feature. */
  onRegion: (region: number) => void = () => {};
  /** For screen readers: where the selected feature is in a layer that is compared. */
  describeElsewhere: (state: State) => string = () => "";

  constructor(
    private readonly store: Store,
    private readonly first: PageMap,
    private readonly second: PageMap,
  ) {
    let before = store.current;
    const show = async (state: State) => {
      const { followed, region, inBeside } = state;
      const { layer, selected } = readOf(state);
      const arrival = inBeside ? `Layer ${layer!.layer}. ` : arrivalOf(before, state);
      before = state;
      const some = selected !== null || followed !== null || region !== null || inBeside;
      document.body.classList.toggle("has-selection", some);
      if (!layer || (selected === null && followed === null)) {
        // Not lost with the panel: the map's keys work on.
        if (this.panel.hasFocus) byId("map").focus();
        return this.panel.hide();
      }
      if (selected === null) return this.panel.showAbsent(followed!);
      this.panel.show(layer, selected, state.beside.layer !== null);
      const label = display(layer.labels[selected] ?? "no label", 200);
      const links = counted(linkCount(layer, selected), "link");
      const elsewhere = this.describeElsewhere(state);
      announce(`${arrival}Feature ${layer.index[selected]}: ${label}, ${links}${elsewhere}`);
      const details = await this.map.worker.details(layer.index[selected]!).catch(() => null);
      const { layer: shown, selected: still } = readOf(store.current);
      if (details && shown === layer && still === selected) this.panel.describe(details);
    };
    store.follow((state) => {
      const { layer, selected } = readOf(state);
      return [layer, selected, state.followed, state.region, state.beside.layer === null];
    }, show);
  }

  /** The map that the panel reads. */
  private get map(): PageMap {
    return this.store.current.inBeside ? this.second : this.first;
  }

  select(node: number | null, { on = this.map, fly = false } = {}): void {
    const { layer } = on.store.current;
    if (!layer) return;
    const { current } = this.store;
    this.store.update(on === this.first ? selecting(layer, node) : selectingBeside(current, node));
    if (fly) this.fly();
  }

  /** Selects a feature of a list, flies there, and goes on reading in its panel. */
  choose(node: number, on = this.first): void {
    this.select(node, { on, fly: true });
    this.panel.focus();
  }

  /** Flies to the selected feature; to where it is on both maps, if they lie in one frame. */
  fly(): void {
    const { map: here, first, second } = this;
    const { scene, store } = here === first ? second : first;
    const [{ layer, selected }, { layer: otherLayer, selected: node }] = [here.store.current, store.current];
    if (!layer || selected === null) return;
    const framed = otherLayer !== null && inOneFrame(layer, otherLayer);
    here.scene?.flyTo(selected, framed && scene && node !== null ? { scene, node } : null);
  }
}

/** For screen readers: the layer that the selection has come to along its track, and how similar it still is. */
function arrivalOf({ layer: from, selected: origin }: State, state: State): string {
  const { layer, selected, source } = state;
  if (!from || !layer || selected === null || from.layer === layer.layer || source?.kind !== "published")
    return "";
  const relation = relationTo(state, layer, selected, from);
  const near = relation?.kind === "track" ? relation : relation?.nearest;
  const cosine = near?.node === origin ? near.cosine : null;
  return `Layer ${layer.layer}${cosine === null ? "" : `, cosine ${cosine.toFixed(2)} to layer ${from.layer}`}. `;
}
