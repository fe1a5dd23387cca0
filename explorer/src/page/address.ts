/** The page's address follows what is shown: it can be shared, and the browser's Back undoes a step. */
import { coloringOf } from "../colors";
import type { MapScene } from "../scene/mapScene";
import type { Store } from "./state";
import { formatState, type ViewState } from "./urlState";

export class Address {
  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
  ) {}

  /** Writes what is shown into the address; "push" makes it a step that Back undoes. */
  remember(how: "push" | "replace" = "replace"): void {
    const { layer, published, selected, coloring } = this.store.current;
    if (!layer || !published) return;
    const state: ViewState = { model: published.modelId, layer: published.layer };
    if (selected !== null) state.feature = layer.index[selected]!;
    const effective = coloringOf(layer, coloring);
    if (effective !== "links") state.coloring = effective;
    if (this.scene) state.camera = this.scene.camera.view();
    const hash = formatState(state);
    if (hash === location.hash) return;
    if (how === "push") history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  }
}
