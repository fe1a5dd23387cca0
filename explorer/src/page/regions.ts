/** The chosen region: its panel, its row in the tree of all regions, and the ways to choose another. */
import type { Layer } from "../data/layer";
import { titleOf } from "../data/regions";
import { counted, display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { announce } from "../ui/notices";
import { RegionPanel } from "../ui/regionPanel";
import { RegionTree } from "../ui/regionTree";
import type { Selection } from "./selection";
import { choosing, type Store } from "./state";

export class RegionChoice {
  readonly tree: RegionTree;
  private readonly panel: RegionPanel;

  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
    selection: Selection,
  ) {
    selection.onRegion = (region) => this.read(region);
    this.panel = new RegionPanel({
      onWalk: (node) => selection.choose(node),
      onPreview: (node) => store.update({ pointedAt: node }),
      onRegion: (region) => this.read(region),
      onFly: () => this.fly(),
      onClose: () => selection.select(null),
    });
    this.tree = new RegionTree({
      onChosen: (region) => this.read(region),
      onOpened: () => store.update({ query: "" }),
    });
    let announced: { layer: Layer | null; region: number | null } = { layer: null, region: null };
    store.follow(["layer", "region", "query"], (state) => {
      this.tree.show(state);
      const { layer, region } = state;
      if (layer === announced.layer && region === announced.region) return;
      announced = { layer, region };
      if (!layer || region === null) {
        // Not lost with the panel.
        if (this.panel.hasFocus) this.returnFocus();
        return this.panel.hide();
      }
      this.panel.show(layer, region);
      const { size } = layer.regions[region]!;
      announce(`Region: ${display(titleOf(layer, region), 200)}, ${counted(size, "feature")}`);
    });
  }

  /** Chooses a region, and flies there. */
  choose(region: number): void {
    this.store.update(choosing(region));
    this.fly();
  }

  /** Chooses a region, flies there, and goes on reading in its panel. */
  read(region: number): void {
    this.choose(region);
    this.panel.focus();
  }

  private fly(): void {
    const { region } = this.store.current;
    if (region !== null) this.scene?.flyToRegion(region);
  }

  private returnFocus(): void {
    if (this.tree.isShown) this.tree.focus();
    else byId("map").focus();
  }
}
