/**
 * The map on the canvas: points, links, labels, and which point is under the pointer.
 *
 * A few draw calls per frame, whatever the number of features.
 */
import { Color, Scene, Vector3, WebGLRenderer } from "three";
import type { Layer } from "../data/layer";
import { headline } from "../data/text";
import { MapCamera } from "./camera";
import { EdgeMarker } from "./edgeMarker";
import { prefersStillness } from "./flight";
import type { Frames } from "./frames";
import { Glide } from "./glide";
import type { LinkOrder } from "./linkOrder";
import { FeatureLinks, linkMaterial, showSelectedLinks } from "./links";
import { onScreen, type RoundMark } from "./marks";
import { nodesWithin, type Outline, pick } from "./pick";
import type { Box } from "./placement";
import { FeaturePoints, Mark, sharedUniforms } from "./points";
import { rings } from "./rings";
import type { SceneLabels } from "./sceneLabels";
import { Trail } from "./trail";
import { WideLines } from "./wideLines";

export interface Marking {
  /** Nodes that stand out. */
  lit: number[];
  /** Nodes whose labels are kept in sight, the first ones first. */
  named: number[];
  selected: number | null;
  /** Nodes with a ring around them. */
  pinned: number[];
  /** By node: 0 hides it, unless it is selected; null hides none. */
  shown: Uint8Array | null;
  /** 0..1: how much all others fade. */
  dimming: number;
}

const NOTHING_MARKED: Marking = {
  lit: [],
  named: [],
  selected: null,
  pinned: [],
  shown: null,
  dimming: 0,
};

/** As CSS. */
export type SceneColors = Record<keyof MapScene["colors"], string>;

export class MapScene {
  readonly camera: MapCamera;
  readonly colors = {
    background: new Color(),
    accent: new Color(),
    hover: new Color(),
    trail: new Color(),
    pin: new Color(),
  };
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly shared = sharedUniforms();
  private readonly linkMaterial = linkMaterial(this.shared);
  private readonly selectedLinks = new WideLines(2, 2);
  private readonly rings = rings();
  private readonly trail = new Trail();
  private readonly edgeMarker: EdgeMarker;
  private layer: Layer | null = null;
  private points: FeaturePoints | null = null;
  /** Those of earlier maps that fade out. */
  private leaving: FeaturePoints[] = [];
  private stops: { positions: (number[] | null)[]; here: number } = { positions: [], here: -1 };
  private links: FeatureLinks | null = null;
  private marking: Marking = NOTHING_MARKED;
  private hovered: number | null = null;
  private linksVisible = true;
  private linkWeight = 1;
  private minCosine: number | null = null;

  /** Throws if the browser has no WebGL 2. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly labels: SceneLabels,
    private readonly frames: Frames,
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    // The check would wait for the compiler before the first picture.
    this.renderer.debug.checkShaderErrors = import.meta.env.DEV;
    // Without damping, as under reduced motion, drags move the camera between frames.
    this.camera = new MapCamera(canvas, () => frames.request({ moved: true }));
    canvas.addEventListener("webglcontextrestored", () => this.requestFrame());
    this.edgeMarker = new EdgeMarker(canvas.parentElement!);
    this.scene.add(this.selectedLinks.object, this.rings.object, this.trail.object);
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  get rendererName(): string {
    const gl = this.renderer.getContext();
    const extension = gl.getExtension("WEBGL_debug_renderer_info");
    return String(gl.getParameter(extension ? extension.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  }

  /** `origins`: by node, the node of the map before that it comes from, or -1; null if the maps have nothing in common. */
  setLayer(layer: Layer, origins: Int32Array | null): void {
    this.replacePoints(layer, prefersStillness() ? null : origins);
    if (this.links) this.scene.remove(this.links.object);
    this.links?.dispose();
    this.layer = layer;
    this.links = new FeatureLinks(layer, this.linkMaterial);
    this.drawLinks();
    this.scene.add(this.links.object);
    this.labels.setLayer(layer, this.points!);
    this.hovered = null;
    this.resize();
    this.camera.setExtent(layer);
    this.mark(NOTHING_MARKED);
    // Its first view is to be reported, even if no frame moves the camera.
    this.frames.request({ moved: true });
  }

  setColors(colors: Uint8Array): void {
    this.points?.setColors(colors);
    this.links?.setColors(colors);
    this.requestFrame();
  }

  /** Shows the links with at least this cosine; null: the strongest, as many as do not hide the map. */
  setLinks(visible: boolean, minCosine: number | null): void {
    this.linksVisible = visible;
    this.minCosine = minCosine;
    this.drawLinks();
    this.requestFrame();
  }

  /** Where the followed feature is in each layer, null where that is not known yet; `here`: in the layer that is shown. */
  setTrail(positions: (number[] | null)[], here = -1): void {
    this.stops = { positions, here };
    this.drawTrail();
  }

  /** The links of the current map by their cosine. */
  get linkOrder(): LinkOrder | null {
    return this.links?.order ?? null;
  }

  setTheme(colors: SceneColors): void {
    for (const [name, color] of Object.entries(this.colors)) color.set(colors[name as keyof SceneColors]);
    const { background } = this.colors;
    this.renderer.setClearColor(background);
    // Dark lines on a light page weigh more than light ones on a dark page.
    this.linkWeight = background.getHSL({ h: 0, s: 0, l: 0 }).l > 0.5 ? 0.6 : 1;
    this.shared.background.value = onScreen(background);
    this.drawTrail();
    this.drawSelection();
  }

  mark(marking: Marking): void {
    if (!this.layer || !this.points || !this.links) return;
    this.marking = marking;
    const { lit, named, selected, shown, dimming } = marking;
    const marks = new Uint8Array(this.layer.count).fill(dimming > 0 ? Mark.dimmed : Mark.plain);
    for (const node of lit) marks[node] = Mark.lit;
    shown?.forEach((one, node) => {
      if (one === 0) marks[node] = Mark.hidden;
    });
    if (selected !== null) marks[selected] = Mark.lit;
    this.points.setMarks(marks);
    this.links.setMarks(marks);
    this.shared.dimming.value = dimming;
    this.labels.setFilter(this.isShown);
    this.labels.setWanted([...(selected === null ? [] : [selected]), ...named], selected);
    this.drawSelection();
  }

  /** Rings a node; if it is outside the picture, an arrow at the edge shows where it is. */
  setHovered(node: number | null): void {
    this.hovered = node;
    this.drawSelection();
  }

  setLabelsVisible(visible: boolean): void {
    this.labels.setVisible(visible);
    this.requestFrame();
  }

  /** The node whose label or point is at (x, y) of the canvas, in CSS pixels, or null. */
  nodeAt(x: number, y: number, reach: number): number | null {
    if (!this.layer || !this.points) return null;
    return this.labels.nodeAt(x, y) ?? pick(this.points, this.camera.projection(), x, y, reach, this.isShown);
  }

  /** The nodes that are shown inside an outline on the canvas. */
  nodesWithin(outline: Outline): number[] {
    if (!this.points) return [];
    return nodesWithin(this.points.positions, this.camera.projection(), outline).filter(this.isShown);
  }

  /** The region whose name is at (x, y) of the canvas, or null. */
  regionAt(x: number, y: number): number | null {
    return this.labels.regionAt(x, y);
  }

  /** Where a node is on the canvas, in CSS pixels, or null if behind the eye. */
  screenPosition(node: number): { x: number; y: number } | null {
    return this.points && this.camera.screenOf(this.positionOf(node));
  }

  /** Flies to where the node is at rest; `other`: and a node of another map, in the same frame of reference. */
  flyTo(node: number, other: { scene: MapScene; node: number } | null = null): void {
    if (other === null) this.camera.flyTo(this.restOf(node));
    else this.camera.flyToBoth(this.restOf(node), other.scene.restOf(other.node));
  }

  /** Flies to where a region fills the picture. */
  flyToRegion(region: number): void {
    if (!this.layer) return;
    const { center, radius } = this.layer.areas;
    this.camera.flyToSphere(new Vector3().fromArray(center, 3 * region), Math.max(radius[region]!, 1));
  }

  isInSight(node: number): boolean {
    return this.camera.isInSight(this.restOf(node));
  }

  /** Moves along with a node that would otherwise come to rest outside the picture, or behind a panel. */
  keepInSight(node: number): void {
    this.camera.keepInSight(this.restOf(node));
  }

  /** Flies to where most of these nodes are in sight: the eight tenths nearest to their middle. */
  flyToAll(nodes: number[]): void {
    if (!this.layer || nodes.length === 0) return;
    const points = nodes.map((node) => this.positionOf(node));
    const center = points.reduce((sum, point) => sum.add(point), new Vector3()).divideScalar(points.length);
    const distances = points.map((point) => point.distanceTo(center)).sort((a, b) => a - b);
    const most = distances[Math.ceil(0.8 * (distances.length - 1))]!;
    this.camera.flyToSphere(center, Math.max(most, 0.12 * this.layer.radius));
  }

  /** How many times as fine as on the screen a picture can be. */
  get finest(): number {
    const most = this.renderer.capabilities.maxTextureSize;
    return most / Math.max(this.canvas.clientWidth, this.canvas.clientHeight);
  }

  /** Draws a part of the canvas, `scale` pixels to a CSS pixel. */
  drawOnto(context: CanvasRenderingContext2D, { left, top, right, bottom }: Box, scale: number): void {
    this.setPixelRatio(scale);
    this.renderer.render(this.scene, this.camera.camera);
    const size = [(right - left) * scale, (bottom - top) * scale] as const;
    context.drawImage(this.canvas, left * scale, top * scale, ...size, 0, 0, ...size);
    // At the screen's own resolution again.
    this.requestFrame();
  }

  requestFrame(): void {
    this.frames.request();
  }

  get isEmpty(): boolean {
    return this.layer === null;
  }

  /** Moves points and camera to where they are at `now`. Returns false if nothing moves. */
  move(now: number): boolean {
    this.removePoints(this.leaving.filter((points) => !points.step(now)));
    const gliding = this.points?.step(now) ?? false;
    if (gliding) this.drawSelection();
    return this.camera.update(now) || gliding || this.leaving.length > 0;
  }

  /** Draws a frame. Returns true if a choice of labels is still due. */
  draw(now: number, pixelRatio: number): boolean {
    this.setPixelRatio(pixelRatio);
    this.updateFade();
    this.renderer.render(this.scene, this.camera.camera);
    this.pointOut();
    return this.labels.update(this.camera.projection(), this.camera.distance, now);
  }

  private replacePoints(layer: Layer, origins: Int32Array | null): void {
    const before = this.points;
    this.points = new FeaturePoints(layer, this.shared);
    this.scene.add(this.points.object);
    if (before) this.leaving.push(before);
    if (before && origins) {
      this.points.beginGlide(Glide.arriving(origins, before, layer.positions));
      before.beginGlide(Glide.leaving(origins, before));
    } else {
      this.removePoints(this.leaving);
    }
  }

  private removePoints(removed: FeaturePoints[]): void {
    for (const points of removed) {
      this.scene.remove(points.object);
      points.dispose();
    }
    this.leaving = this.leaving.filter((points) => !removed.includes(points));
  }

  private drawTrail(): void {
    const { trail, background } = this.colors;
    this.trail.show(this.stops.positions, this.stops.here, trail, background);
    this.requestFrame();
  }

  private drawSelection(): void {
    if (!this.layer || !this.points) return;
    // Links lead to where points are at rest.
    const { selected, pinned } = this.marking;
    const linked = this.points.glide === null ? selected : null;
    const { accent, background, pin, hover } = this.colors;
    showSelectedLinks(this.selectedLinks, this.layer, linked, this.isShown, accent, background);
    const { radiusOf } = this.points;
    const ring = (node: number, color: Color): RoundMark => ({
      position: this.positionOf(node).toArray(),
      size: radiusOf(node),
      color,
    });
    const ringed = pinned
      .filter((node) => node !== selected && this.isShown(node))
      .map((node) => ring(node, pin));
    if (selected !== null) ringed.push(ring(selected, accent));
    if (this.hovered !== null && this.hovered !== selected) ringed.push(ring(this.hovered, hover));
    this.rings.show(ringed);
    this.requestFrame();
  }

  private pointOut(): void {
    const { layer, hovered: node } = this;
    const direction = node === null ? null : this.camera.directionBeyond(this.positionOf(node));
    if (!layer || node === null || direction === null) {
      this.edgeMarker.hide();
      return;
    }
    const text = headline(layer.labels[node] ?? `no label (#${layer.index[node]})`, layer.boilerplate, 40);
    this.edgeMarker.show(text, direction, this.camera.freeBox);
  }

  private drawLinks(): void {
    const order = this.linkOrder;
    if (!order) return;
    this.links!.show(this.linksVisible ? order.count(this.minCosine ?? order.defaultCosine) : 0);
  }

  private updateFade(): void {
    if (!this.layer) return;
    const { distance } = this.camera;
    this.shared.fadeNear.value = Math.max(0.3 * distance, distance - 0.9 * this.layer.radius);
    this.shared.fadeFar.value = distance + 1.3 * this.layer.radius;
  }

  private setPixelRatio(ratio: number): void {
    if (ratio !== this.renderer.getPixelRatio()) this.renderer.setPixelRatio(ratio);
    for (const points of [this.points, ...this.leaving]) {
      points?.setViewport(this.camera.pixelsPerUnit, ratio);
    }
    // Links appear where their ends have almost arrived.
    const glide = this.points?.glide;
    const arrived = glide ? Math.max(0, (glide.share - 0.8) / 0.2) : 1;
    const unit = (this.camera.pixelsPerUnit * ratio) / this.camera.distance;
    this.links?.setViewport(unit, arrived * this.linkWeight);
    this.trail.setViewport(this.camera.pixelsPerUnit, ratio);
    this.rings.setViewport(this.camera.pixelsPerUnit, ratio);
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    this.renderer.setSize(width, height, false);
    this.camera.resize();
    this.requestFrame();
  }

  private readonly isShown = (node: number): boolean =>
    this.marking.shown?.[node] !== 0 || node === this.marking.selected;

  private restOf(node: number): Vector3 {
    return new Vector3().fromArray(this.layer!.positions, 3 * node);
  }

  private positionOf(node: number): Vector3 {
    return new Vector3().fromArray(this.points!.positions, 3 * node);
  }
}
