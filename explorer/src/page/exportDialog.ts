/** What a visitor can take along: a picture of the view, its link, the chosen features. */
import { COLORING_NAMES, coloringOf } from "../colors";
import type { Layer } from "../data/layer";
import { counted, display } from "../data/text";
import type { Joins } from "../scene/joins";
import { copyButtons, copyText } from "../ui/copy";
import { byId } from "../ui/dom";
import { drawPicture, type Pictured, pictureSize } from "../ui/picture";
import type { PageMap } from "./pageMap";
import type { Pins } from "./pins";

export class ExportDialog {
  private readonly dialog = byId<HTMLDialogElement>("export-dialog");
  private readonly scale = byId<HTMLSelectElement>("picture-scale");
  private readonly features = byId("export-features");

  constructor(
    private readonly first: PageMap,
    private readonly second: PageMap,
    private readonly pins: Pins,
    private readonly joins: Joins,
  ) {
    this.features.after(copyButtons((format) => pins.copy(format, pins.chosen)));
    this.scale.addEventListener("change", () => this.showSize());
    byId("save-picture").addEventListener("click", () => void this.savePicture());
    byId("copy-link").addEventListener("click", async () => {
      byId("link-note").textContent = await copyText(location.href, "the link");
    });
  }

  open(): void {
    const { layer, source } = this.first.store.current;
    if (!layer || this.dialog.open) return;
    const { chosen } = this.pins;
    const published = source?.kind === "published";
    byId<HTMLButtonElement>("copy-link").disabled = !published;
    byId("link-note").textContent = published
      ? "Opens this view, with the pinned features."
      : "A file of your own has no link.";
    byId<HTMLButtonElement>("save-picture").disabled = this.first.scene === null;
    this.features.textContent =
      chosen.length === 0 ? "No feature is pinned or selected." : counted(chosen.length, "feature");
    this.features.parentElement!.querySelector<HTMLElement>(".copies")!.hidden = chosen.length === 0;
    this.showSize();
    this.dialog.showModal();
  }

  private showSize(): void {
    if (!this.first.scene) return;
    const { width, height } = pictureSize(this.maps, Number(this.scale.value));
    byId("picture-size").textContent = `${width} × ${height} pixels, PNG`;
  }

  private async savePicture(): Promise<void> {
    const { layer, coloring, colored, beside } = this.first.store.current;
    if (!layer || !colored) return;
    const caption = {
      title: titleOf(layer, beside.layer),
      coloring: COLORING_NAMES[coloringOf(layer, coloring)],
      legend: colored.legend,
    };
    const canvas = drawPicture(this.maps, caption, Number(this.scale.value), (context) =>
      this.joins.drawOnto(context),
    );
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (blob === null) {
      byId("picture-size").textContent = "This browser cannot draw a picture of that size.";
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    const names = [layer, beside.layer].flatMap((each) =>
      each ? `${each.modelId.replace(/[^\w.-]+/g, "_")}-layer-${each.layer}` : [],
    );
    link.download = `${names.join("-and-")}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
    byId("picture-size").textContent = `Saved ${link.download}.`;
  }

  private get maps(): Pictured[] {
    return [this.first, this.second].flatMap(({ scene, element, store }) =>
      scene && store.current.layer ? [{ scene, element }] : [],
    );
  }
}

function titleOf(layer: Layer, beside: Layer | null): string {
  const title = `${display(layer.displayName, 60)}, layer ${layer.layer}`;
  if (beside === null) return title;
  if (beside.modelId === layer.modelId)
    return `${display(layer.displayName, 40)}, layers ${layer.layer} and ${beside.layer}`;
  return `${display(layer.displayName, 25)} ${layer.layer}, ${display(beside.displayName, 25)} ${beside.layer}`;
}
