/** What the page shows. This is the only copy: controls change it, and every part of the page follows it. */
import type { Coloring, Theme } from "../colors";
import type { Layer } from "../data/layer";

export interface State {
  /** The map; null until the first has loaded. */
  layer: Layer | null;
  /** Which published layer it is; null for a file of the visitor's own. */
  published: { modelId: string; layer: number } | null;
  /** The selected node. */
  selected: number | null;
  /** The nodes that match the search, best first; null without a search. */
  hits: number[] | null;
  /** As chosen. A layer without data for it is coloured by links. */
  coloring: Coloring;
  theme: Theme;
  labelsVisible: boolean;
  linksVisible: boolean;
  /** The lowest cosine of a link that is drawn; null: the strongest links, as many as do not hide the map. */
  minCosine: number | null;
}

type Listener = (state: Readonly<State>) => void;

export class Store {
  private readonly followers: { keys: (keyof State)[]; listener: Listener }[] = [];

  constructor(private state: Readonly<State>) {}

  get current(): Readonly<State> {
    return this.state;
  }

  /** Calls `listener` now, and after every change of one of `keys`; listeners are called in the order they were added. */
  follow(keys: (keyof State)[], listener: Listener): void {
    this.followers.push({ keys, listener });
    listener(this.state);
  }

  update(change: Partial<State>): void {
    const changed = (Object.keys(change) as (keyof State)[]).filter((key) => change[key] !== this.state[key]);
    this.state = { ...this.state, ...change };
    for (const { keys, listener } of this.followers) {
      if (keys.some((key) => changed.includes(key))) listener(this.state);
    }
  }
}
