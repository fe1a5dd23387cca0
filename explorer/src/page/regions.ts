/** The chosen region: its panel, its row in the tree of all regions, and the ways to choose another. */
import { titleOf } from "../data/regions";
import { counted, display } from "../data/text";
import { byId } from "../ui/dom";
import { announce } from "../ui/notices";
import { RegionPanel } from "../ui/regionPanel";
import { RegionTree } from "../ui/regionTree";
import type { PageMap } from "./pageMap";
import type { Selection } from "./selection";
import { choosing, choosingBeside, type Store } from "./state";

export class RegionChoice {
  readonly tree: RegionTree;
  private readonly panel: RegionPanel;

  constructor(
    private readonly store: Store,
    private readonly first: PageMap,
    second: PageMap,
    selection: Selection,
  ) {
    selection.onRegion = (region) => this.read(region, store.current.inBeside ? second : first);
    this.panel = new RegionPanel({
      onWalk: (node) => selection.choose(node),
      onPreview: (node) => store.update({ pointedAt: node }),
      onRegion: (region) => this.read(region),
      onFly: () => this.fly(first),
      onClose: () => selection.select(null),
    });
    this.tree = new RegionTree({
      onChosen: (region) => this.read(region),
      onOpened: () => store.update({ query: "" }),
    });
    store.follow(["layer", "region", "query"], (state) => this.tree.show(state));
    store.follow(["layer", "region"], ({ layer, region }) => {
      if (!layer || region === null) {
        // Not lost with the panel.
        if (this.panel.hasFocus) this.returnFocus();
        return this.panel.hide();
      }
      this.panel.show(layer, region);
      const { size } = layer.regions[region]!;
      announce(`Region: ${display(titleOf(layer, region), 200)}, ${counted(size, "feature")}`);
    });
    second.store.follow(["layer", "region"], ({ layer, region }) => {
      if (layer && region !== null)
        announce(`Layer ${layer.layer}, region: ${display(titleOf(layer, region), 200)}`);
    });
  }

  /** Chooses a region, and flies there. */
  choose(region: number, on = this.first): void {
    const { current } = this.store;
    this.store.update(on === this.first ? choosing(region) : choosingBeside(current, region));
    this.fly(on);
  }

  /** Chooses a region, flies there, and goes on reading in its panel, if the map has one. */
  read(region: number, on = this.first): void {
    this.choose(region, on);
    if (on === this.first) this.panel.focus();
  }

  private fly({ store, scene }: PageMap): void {
    const { region } = store.current;
    if (region !== null) scene?.flyToRegion(region);
  }

  private returnFocus(): void {
    if (this.tree.isShown) this.tree.focus();
    else byId("map").focus();
  }
}
