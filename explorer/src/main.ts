/** The page: what is chosen, and how the parts answer to it. */
import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { availableColorings, COLORING_NAMES, type Coloring, colorLayer, type Theme } from "./colors";
import { type Layer, linkCount, nearestNodes, nodeOfFeature } from "./data/layer";
import { LayerLoader, type Loaded, type OnProgress } from "./data/loader";
import { display } from "./data/text";
import { Published } from "./published";
import { type Insets, MapScene } from "./scene/mapScene";
import { SceneLabels } from "./scene/sceneLabels";
import { scriptUrl } from "./trusted";
import { byId, setOptions } from "./ui/dom";
import { FeaturePanel } from "./ui/featurePanel";
import { acceptFiles } from "./ui/fileDrop";
import { watchKeys } from "./ui/keys";
import { showLegend } from "./ui/legend";
import { announce, hideMessage, showMessage, showProgress } from "./ui/notices";
import { watchPointer } from "./ui/pointer";
import { SearchBox } from "./ui/searchBox";
import { formatState, parseState, type ViewState } from "./urlState";

const OWN_FILE = "own file"; // the layer selector's entry while a dropped file is shown

const published = new Published();
const loader = new LayerLoader();
const modelSelect = byId<HTMLSelectElement>("model");
const layerSelect = byId<HTMLSelectElement>("layer");
const coloringSelect = byId<HTMLSelectElement>("coloring");
const canvas = byId<HTMLCanvasElement>("map");
const tooltip = byId("tooltip");

let layer: Layer | null = null;
/** Which published layer `layer` is; null for a file of the user's own. */
let shownLayer: { modelId: string; layer: number } | null = null;
let selected: number | null = null;
let found: number[] | null = null;
let wantedColoring: Coloring = "links";
let theme: Theme = "dark";

const labels = new SceneLabels(byId("scene-labels"), () => [
  ...document.querySelectorAll(".panel:not([hidden])"),
]);
const scene = createScene();

const featurePanel = new FeaturePanel({
  onWalk: (node) => select(node, { fly: true }),
  onPreview: preview,
  onFly: flyToSelected,
  onClose: () => select(null),
});

const searchBox = new SearchBox({
  onFound: (nodes) => {
    found = nodes;
    mark();
  },
  onPreview: preview,
  onChosen: (node) => select(node, { fly: true }),
});

function createScene(): MapScene | null {
  try {
    return new MapScene(canvas, labels);
  } catch (error) {
    console.warn("No WebGL 2:", error);
    byId("no-webgl").hidden = false;
    return null;
  }
}

// --- What is shown -------------------------------------------------------------------------------------------

async function start(): Promise<void> {
  setTheme(storedTheme());
  scene?.setInsets(insets());
  window.addEventListener("resize", () => scene?.setInsets(insets()));
  wireControls();
  try {
    await published.loadIndex();
  } catch (error) {
    return fail(error);
  }
  setOptions(
    modelSelect,
    published.models.map(({ modelId, displayName }) => ({ value: modelId, name: displayName })),
    "",
  );
  await follow(parseState(location.hash));
  addEventListener("hashchange", () => void follow(parseState(location.hash)));
}

/** Shows what an address asks for, or the nearest that exists. */
async function follow(state: ViewState): Promise<void> {
  const known = published.models.some(({ modelId }) => modelId === state.model);
  const modelId = known ? state.model! : (published.manifest?.modelId ?? published.models[0]!.modelId);
  if (!(await chooseModel(modelId))) return;
  const layers = published.manifest!.layers;
  const wanted = published.layer(state.layer ?? -1) ?? layers[Math.floor(layers.length / 2)]!;
  if (state.coloring) wantedColoring = state.coloring;
  if (shownLayer?.modelId !== modelId || shownLayer.layer !== wanted.layer) {
    if (!(await showPublished(wanted.layer))) return;
  } else recolor();
  if (state.model !== undefined && !known) showMessage(`No model ${state.model} is published here.`);
  else if (state.layer !== undefined && wanted.layer !== state.layer)
    showMessage(`${modelId} has no layer ${state.layer} here.`);
  if (state.camera) scene?.setView(state.camera);
  const node = state.feature === undefined ? null : nodeOfFeature(layer!, state.feature);
  select(node, { fly: node !== null && !state.camera, remember: false });
}

/** Returns false if the model's manifest could not be had, which is said on the page. */
async function chooseModel(modelId: string): Promise<boolean> {
  modelSelect.value = modelId;
  if (published.manifest?.modelId === modelId) return true;
  try {
    await published.chooseModel(modelId);
  } catch (error) {
    modelSelect.value = published.manifest?.modelId ?? "";
    fail(error);
    return false;
  }
  setOptions(
    layerSelect,
    published.manifest!.layers.map((entry) => ({ value: String(entry.layer), name: String(entry.layer) })),
    "",
  );
  return true;
}

async function showPublished(number: number): Promise<boolean> {
  const entry = published.layer(number)!;
  layerSelect.value = String(number);
  updateSteps();
  const manifestUrl = published.manifestUrl!.href;
  const which = { modelId: published.manifest!.modelId, layer: number };
  return show(which, (onProgress) => loader.load({ kind: "published", entry, manifestUrl }, onProgress));
}

async function showFile(file: File): Promise<void> {
  if (!(await show(null, (onProgress) => loader.load({ kind: "file", file }, onProgress)))) return;
  layerSelect.add(new Option(file.name, OWN_FILE), 0);
  layerSelect.value = OWN_FILE;
  updateSteps();
}

/** Loads and shows a layer. Returns false if it could not be shown; what was there then stays. */
async function show(
  which: typeof shownLayer,
  load: (onProgress: OnProgress) => Promise<Loaded | null>,
): Promise<boolean> {
  performance.mark("layer-asked");
  showProgress(0);
  let loaded: Loaded | null;
  try {
    loaded = await load((done, total) => showProgress(total === null ? "unknown" : done / total));
  } catch (error) {
    showProgress(null);
    fail(error);
    return false;
  }
  if (loaded === null) return false;
  showProgress(null);
  hideMessage();
  layer = loaded.layer;
  shownLayer = which;
  layerSelect.querySelector(`[value="${OWN_FILE}"]`)?.remove();
  selected = null;
  featurePanel.hide();
  scene?.setLayer(layer);
  recolor();
  searchBox.setLayer(layer);
  summarize(loaded);
  remember();
  requestAnimationFrame(() => performance.measure("layer-shown", "layer-asked"));
  return true;
}

function summarize({ layer, from }: Loaded): void {
  const linked = layer.edges.weight.length.toLocaleString("en");
  const labelled = layer.labels.filter((label) => label !== null).length / layer.count;
  const parts = [
    `${layer.count.toLocaleString("en")} features`,
    `${linked} links`,
    `${labelled === 1 ? "all" : `${Math.floor(1000 * labelled) / 10} %`} labelled`,
  ];
  if (layer.deadCount > 0) parts.push(`${layer.deadCount.toLocaleString("en")} dead`);
  if (from !== "network") parts.push(from === "cache" ? "kept in this browser" : "your file");
  byId("summary").textContent = parts.join(" · ");
  byId("summary").dataset.from = from;
  document.title = `${display(layer.displayName, 60)}, layer ${layer.layer} · SAE Atlas`;
  announce(`${layer.displayName}, layer ${layer.layer}: ${parts.join(", ")}`);
  if (published.offline && shownLayer) showMessage("No network: this is what this browser has kept.", "note");
}

function fail(error: unknown): void {
  const message = (error as Error).message;
  showMessage(/[.!?…]$/.test(message) ? message : `${message}.`);
  if (layer) layerSelect.value = shownLayer ? String(shownLayer.layer) : OWN_FILE;
  updateSteps();
}

// --- Selection, search and colours ---------------------------------------------------------------------------

function select(node: number | null, { fly = false, remember: keep = true } = {}): void {
  if (!layer) return;
  selected = node;
  preview(null);
  if (node === null) featurePanel.hide();
  else {
    featurePanel.show(layer, node);
    announce(
      `Feature ${layer.index[node]}: ${display(layer.labels[node] ?? "no label", 200)}, ${linkCount(layer, node)} links`,
    );
  }
  document.body.classList.toggle("has-selection", node !== null);
  scene?.setInsets(insets());
  mark();
  if (fly && node !== null) scene?.flyTo(node);
  if (keep) remember("push");
}

/** Lets stand out what was found and what the selected feature is linked to. */
function mark(): void {
  if (!layer) return;
  const { offset, neighbor } = layer.links;
  const linked = selected === null ? [] : [...neighbor.subarray(offset[selected], offset[selected + 1])];
  const near = selected === null ? [] : nearestNodes(layer, selected, 8);
  const hits = found ?? [];
  scene?.mark({
    lit: [...linked, ...hits],
    named: [...linked.slice(0, 14), ...near, ...hits.slice(0, 24)],
    selected,
    dimming: selected !== null ? 0.6 : found !== null ? 0.82 : 0,
  });
}

/** What the panels cover: columns at the sides, or above and below on a phone. */
function insets(): Insets {
  const find = byId("find").getBoundingClientRect();
  const feature = byId("feature").getBoundingClientRect(); // empty while hidden
  const gap = 16;
  if (find.width > 0.6 * innerWidth) {
    const below = feature.height || byId("legend-panel").getBoundingClientRect().height;
    return { left: 0, right: 0, top: find.bottom, bottom: below + gap };
  }
  return { left: find.right, right: feature.width === 0 ? 0 : feature.width + gap, top: 0, bottom: 0 };
}

function preview(node: number | null): void {
  scene?.setHovered(node);
  canvas.style.cursor = node === null ? "" : "pointer";
  const at = node === null ? null : (scene?.screenPosition(node) ?? null);
  tooltip.hidden = at === null || node === selected;
  if (tooltip.hidden || node === null || at === null || !layer) return;
  tooltip.textContent = display(layer.labels[node] ?? `no label (#${layer.index[node]})`, 120);
  const flipped = at.x > canvas.clientWidth - 300;
  tooltip.style.transform = `translate(${at.x.toFixed(0)}px, ${at.y.toFixed(0)}px) translate(${flipped ? "calc(-100% - 14px)" : "14px"}, -50%)`;
}

function recolor(): void {
  if (!layer) return;
  const available = availableColorings(layer);
  const coloring = available.includes(wantedColoring) ? wantedColoring : "links";
  setOptions(
    coloringSelect,
    available.map((value) => ({ value, name: COLORING_NAMES[value] })),
    coloring,
  );
  const { colors, legend } = colorLayer(layer, coloring, theme);
  scene?.setColors(colors);
  showLegend(legend);
}

function setTheme(to: Theme): void {
  theme = to;
  document.documentElement.dataset.theme = to;
  const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  scene?.setTheme({ background: color("--map"), accent: color("--accent"), hover: color("--text") });
  recolor();
}

function storedTheme(): Theme {
  try {
    return localStorage.getItem("theme") === "light" ? "light" : "dark";
  } catch {
    return "dark"; // storage is refused to this page: the default it is
  }
}

function toggleTheme(): void {
  setTheme(theme === "dark" ? "light" : "dark");
  try {
    localStorage.setItem("theme", theme);
  } catch (error) {
    console.warn("The theme is not kept:", error);
  }
}

// --- Address, keys and controls ------------------------------------------------------------------------------

/** Writes what is shown into the address; "push" makes it a step that the browser's Back undoes. */
function remember(how: "push" | "replace" = "replace"): void {
  if (!layer || !shownLayer) return;
  const state: ViewState = { model: shownLayer.modelId, layer: shownLayer.layer };
  if (selected !== null) state.feature = layer.index[selected]!;
  if (coloringSelect.value !== "links") state.coloring = coloringSelect.value as Coloring;
  if (scene) state.camera = scene.view();
  const hash = formatState(state);
  if (hash === location.hash) return;
  if (how === "push") history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
}

function stepLayer(by: number): void {
  const next = published.neighbor(Number(layerSelect.value), by);
  if (next) void showPublished(next.layer);
}

function updateSteps(): void {
  const number = Number(layerSelect.value);
  byId<HTMLButtonElement>("previous-layer").disabled = published.neighbor(number, -1) === null;
  byId<HTMLButtonElement>("next-layer").disabled = published.neighbor(number, 1) === null;
}

function flyToSelected(): void {
  if (selected !== null) scene?.flyTo(selected);
}

function toggleLabels(): void {
  labels.setVisible(!labels.visible);
  byId("labels").setAttribute("aria-pressed", String(labels.visible));
  scene?.requestFrame();
}

function nextColoring(): void {
  coloringSelect.selectedIndex = (coloringSelect.selectedIndex + 1) % coloringSelect.options.length;
  chooseColoring();
}

function chooseColoring(): void {
  wantedColoring = coloringSelect.value as Coloring;
  recolor();
  remember();
}

function letGo(): void {
  if (selected !== null) select(null);
  else searchBox.clear();
}

function showHelp(): void {
  byId("renderer").textContent = scene ? `Drawn by ${scene.rendererName}` : "";
  byId<HTMLDialogElement>("help-dialog").showModal();
}

function wireControls(): void {
  const onClick = (id: string, action: () => void) => byId(id).addEventListener("click", action);
  onClick("previous-layer", () => stepLayer(-1));
  onClick("next-layer", () => stepLayer(1));
  onClick("theme", toggleTheme);
  onClick("help", showHelp);
  onClick("zoom-in", () => scene?.zoom(0.7));
  onClick("zoom-out", () => scene?.zoom(1 / 0.7));
  onClick("reset", () => scene?.flyHome());
  onClick("labels", toggleLabels);
  byId("message").querySelector("button")!.addEventListener("click", hideMessage);
  modelSelect.addEventListener("change", () => void follow({ model: modelSelect.value }));
  layerSelect.addEventListener("change", () => {
    if (layerSelect.value !== OWN_FILE) void showPublished(Number(layerSelect.value));
  });
  coloringSelect.addEventListener("change", chooseColoring);
  acceptFiles((file) => void showFile(file));
  watchPointer(canvas, {
    nodeAt: (x, y, reach) => scene?.nodeAt(x, y, reach) ?? null,
    onHover: preview,
    onClick: select,
    onDoubleClick: (node) => select(node, { fly: true }),
  });
  watchKeys({
    search: () => searchBox.focus(),
    escape: letGo,
    stepLayer,
    flyToSelected,
    home: () => scene?.flyHome(),
    toggleLabels,
    toggleTheme,
    nextColoring,
    help: showHelp,
    orbit: (right, up) => scene?.orbit(right, up),
    pan: (right, up) => scene?.pan(right, up),
    zoom: (factor) => scene?.zoom(factor),
  });
  if (scene) scene.onRest = remember;
}

/** Keeps the page itself for visits without a network. Only secure pages (https, localhost) may. */
function keepShell(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register(scriptUrl("sw.js")).catch((error: unknown) => {
    console.warn("This page will need the network next time:", error);
  });
}

void start().then(keepShell);
