/**
 * The map on the canvas: camera, points, links, labels, and which point is under the pointer.
 *
 * Draws only when something changed. Four draw calls a frame, whatever the number of features.
 */
import {
  BufferAttribute,
  BufferGeometry,
  Color,
  PerspectiveCamera,
  Points,
  Scene,
  ShaderMaterial,
  Vector2,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import type { Layer } from "../data/layer";
import { Flight, prefersStillness } from "./flight";
import { FeatureLinks, SelectedLinks } from "./links";
import { type Projection, pick } from "./pick";
import { FeaturePoints, LARGEST, Mark, sharedUniforms } from "./points";
import type { SceneLabels } from "./sceneLabels";
import { Sharpness } from "./sharpness";

/** CSS pixels at the canvas's edges that panels cover. */
export interface Insets {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Marking {
  lit: number[];
  named: number[];
  selected: number | null;
  dimming: number;
}

export interface SceneColors {
  background: string;
  accent: string;
  hover: string;
}

const HOME_DIRECTION = new Vector3(0.62, 0.42, 1).normalize();
const FIELD_OF_VIEW = 45;

export class MapScene {
  /** Called when the camera has come to rest. */
  onRest: () => void = () => {};
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.05, 2000);
  private readonly controls: OrbitControls;
  private readonly shared = sharedUniforms();
  private readonly selectedLinks = new SelectedLinks();
  private readonly rings = new Rings();
  private readonly sharpness = new Sharpness();
  private layer: Layer | null = null;
  private points: FeaturePoints | null = null;
  private links: FeatureLinks | null = null;
  private flight: Flight | null = null;
  private accent = new Color();
  private hoverColor = new Color();
  private selected: number | null = null;
  private hovered: number | null = null;
  private insets: Insets = { left: 0, right: 0, top: 0, bottom: 0 };
  private shift = new Vector2();
  private shiftedAt = 0;
  private scheduled = false;
  private moved = false;

  /** Throws if the browser has no WebGL 2. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly labels: SceneLabels,
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    this.controls = new OrbitControls(this.camera, canvas);
    Object.assign(this.controls, {
      enableDamping: true,
      dampingFactor: 0.09,
      zoomToCursor: true,
      minDistance: 0.4,
      rotateSpeed: 0.8,
    });
    this.controls.addEventListener("start", () => (this.flight = null));
    this.controls.addEventListener("change", () => this.requestFrame());
    canvas.addEventListener("webglcontextrestored", () => this.requestFrame());
    this.scene.add(this.selectedLinks.object, this.rings.object);
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  get rendererName(): string {
    const gl = this.renderer.getContext();
    const extension = gl.getExtension("WEBGL_debug_renderer_info");
    return String(gl.getParameter(extension ? extension.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  }

  setLayer(layer: Layer): void {
    for (const part of [this.points, this.links]) {
      if (part) this.scene.remove(part.object);
      part?.dispose();
    }
    const isFirst = this.layer === null;
    this.layer = layer;
    this.points = new FeaturePoints(layer, this.shared);
    this.links = new FeatureLinks(layer, this.shared);
    this.scene.add(this.points.object, this.links.object);
    this.controls.maxDistance = 6 * layer.radius;
    const points = this.points;
    this.labels.setLayer(layer, (node) => points.radiusOf(node));
    this.selected = this.hovered = null;
    this.resize();
    if (isFirst) this.setView(this.homeView());
    this.mark({ lit: [], named: [], selected: null, dimming: 0 });
  }

  /** Keeps the middle of the picture in the middle of what the panels leave free. */
  setInsets(insets: Insets): void {
    this.insets = insets;
    if (this.layer === null) this.shift.copy(this.wantedShift());
    this.requestFrame();
  }

  setColors(colors: Uint8Array): void {
    this.points?.setColors(colors);
    this.links?.setColors(colors);
    this.requestFrame();
  }

  setTheme(colors: SceneColors): void {
    this.renderer.setClearColor(colors.background);
    // Shader colours are written to the canvas as they are, without conversion.
    this.shared.background.value = new Color().setStyle(colors.background, "srgb-linear");
    this.accent = new Color(colors.accent);
    this.hoverColor = new Color(colors.hover);
    this.drawSelection();
  }

  /**
   * Lets `lit` stand out and the others step back by `dimming` (0..1); draws the selected feature's links.
   * The labels of `named` are kept in sight, the first ones first.
   */
  mark({ lit, named, selected, dimming }: Marking): void {
    if (!this.layer || !this.points || !this.links) return;
    const marks = new Uint8Array(this.layer.count).fill(dimming > 0 ? Mark.dimmed : Mark.plain);
    for (const node of lit) marks[node] = Mark.lit;
    if (selected !== null) marks[selected] = Mark.lit;
    this.points.setMarks(marks);
    this.links.setMarks(marks);
    this.shared.dimming.value = dimming;
    this.selected = selected;
    this.labels.setWanted([...(selected === null ? [] : [selected]), ...named], selected);
    this.drawSelection();
  }

  setHovered(node: number | null): void {
    if (this.hovered === node) return;
    this.hovered = node;
    this.drawSelection();
  }

  /** The node whose label or point is at a place of the canvas in CSS pixels, or null. */
  nodeAt(x: number, y: number, reach: number): number | null {
    if (!this.layer || !this.points) return null;
    const points = this.points;
    return (
      this.labels.nodeAt(x, y) ??
      pick(this.layer.positions, (node) => points.radiusOf(node), this.projection(), x, y, reach)
    );
  }

  /** Where a node is on the canvas, in CSS pixels, or null if behind the eye. */
  screenPosition(node: number): { x: number; y: number } | null {
    if (!this.layer) return null;
    const at = this.positionOf(node).project(this.camera);
    if (at.z > 1) return null;
    return { x: (0.5 + at.x / 2) * this.canvas.clientWidth, y: (0.5 - at.y / 2) * this.canvas.clientHeight };
  }

  flyTo(node: number): void {
    if (!this.layer) return;
    const target = this.positionOf(node);
    const direction = this.camera.position.clone().sub(this.controls.target).normalize();
    const current = this.camera.position.distanceTo(this.controls.target);
    const distance = Math.min(current, 0.42 * this.layer.radius);
    this.fly(target.clone().addScaledVector(direction, distance), target);
  }

  flyHome(): void {
    const [x, y, z, ...target] = this.homeView() as [number, number, number, number, number, number];
    this.fly(new Vector3(x, y, z), new Vector3(...(target as [number, number, number])));
  }

  /** Eye and target, six numbers. */
  view(): number[] {
    return [...this.camera.position.toArray(), ...this.controls.target.toArray()];
  }

  setView(view: number[]): void {
    this.flight = null;
    this.camera.position.fromArray(view, 0);
    this.controls.target.fromArray(view, 3);
    this.controls.update();
    this.requestFrame();
  }

  /** Turns around the target; angles in radians. */
  orbit(right: number, up: number): void {
    const offset = this.camera.position.clone().sub(this.controls.target);
    offset.applyAxisAngle(this.camera.up, -right);
    const side = new Vector3().crossVectors(this.camera.up, offset).normalize();
    const angle = offset.angleTo(this.camera.up);
    offset.applyAxisAngle(side, -Math.min(Math.max(up, angle - Math.PI + 0.05), angle - 0.05));
    this.fly(this.controls.target.clone().add(offset), this.controls.target.clone(), 160);
  }

  /** Moves the eye towards the target (factor below 1) or away from it. */
  zoom(factor: number): void {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const distance = Math.min(
      this.controls.maxDistance,
      Math.max(this.controls.minDistance, offset.length() * factor),
    );
    this.fly(this.controls.target.clone().add(offset.setLength(distance)), this.controls.target.clone(), 220);
  }

  /** Moves eye and target sideways, in shares of what is seen. */
  pan(right: number, up: number): void {
    const span = this.camera.position.distanceTo(this.controls.target);
    const shift = new Vector3(right * span, up * span, 0).applyQuaternion(this.camera.quaternion);
    this.fly(this.camera.position.clone().add(shift), this.controls.target.clone().add(shift), 160);
  }

  requestFrame(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.canvas.ariaBusy = "true";
    requestAnimationFrame((now) => this.frame(now));
  }

  private frame(now: number): void {
    this.scheduled = false;
    if (this.flight && !this.flight.step(now)) this.flight = null;
    const shifting = this.shiftPicture(now);
    const moving = this.controls.update() || this.flight !== null || shifting;
    this.setPixelRatio(this.sharpness.next(moving, now) * Math.min(window.devicePixelRatio, 2));
    this.updateFade();
    this.renderer.render(this.scene, this.camera);
    const distance = this.camera.position.distanceTo(this.controls.target);
    const labelsDue = this.labels.update(this.projection(), distance, now);
    if (moving) this.moved = true;
    if (moving || labelsDue) this.requestFrame();
    if (this.scheduled) return;
    this.canvas.ariaBusy = "false";
    if (this.moved) this.onRest();
    this.moved = false;
  }

  private fly(eye: Vector3, target: Vector3, duration?: number): void {
    this.flight = new Flight(
      this.camera,
      this.controls.target,
      eye,
      target,
      ...(duration === undefined ? [] : [duration]),
    );
    this.requestFrame();
  }

  private homeView(): number[] {
    const { center, radius } = this.layer ?? { center: [0, 0, 0] as [number, number, number], radius: 50 };
    const { left, right, top, bottom } = this.insets;
    const free = Math.min(this.canvas.clientWidth - left - right, this.canvas.clientHeight - top - bottom);
    const distance = (2.2 * radius * this.pixelsPerUnit()) / Math.max(free, 120);
    const target = new Vector3(...center);
    const eye = target.clone().addScaledVector(HOME_DIRECTION, distance);
    return [...eye.toArray(), ...target.toArray()];
  }

  private wantedShift(): Vector2 {
    const { left, right, top, bottom } = this.insets;
    return new Vector2((right - left) / 2, (bottom - top) / 2);
  }

  /** Moves the picture some way to its place between the panels. Returns false once it is there. */
  private shiftPicture(now: number): boolean {
    const wanted = this.wantedShift();
    const arrived = this.shift.distanceTo(wanted) < 0.5;
    const share = 1 - Math.exp((this.shiftedAt - now) / 110);
    this.shift.lerp(wanted, arrived || prefersStillness() ? 1 : share);
    this.shiftedAt = now;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.camera.setViewOffset(width, height, this.shift.x, this.shift.y, width, height);
    return !arrived;
  }

  private drawSelection(): void {
    if (!this.layer) return;
    this.selectedLinks.show(
      this.layer,
      this.selected,
      this.accent,
      new Color(this.renderer.getClearColor(new Color())),
    );
    const marked: { node: number; color: Color }[] = [];
    if (this.selected !== null) marked.push({ node: this.selected, color: this.accent });
    if (this.hovered !== null && this.hovered !== this.selected)
      marked.push({ node: this.hovered, color: this.hoverColor });
    this.rings.show(
      marked.map(({ node, color }) => ({
        position: this.positionOf(node),
        radius: this.points!.radiusOf(node),
        color,
      })),
    );
    this.requestFrame();
  }

  private updateFade(): void {
    if (!this.layer) return;
    const distance = this.camera.position.distanceTo(this.controls.target);
    this.shared.fadeNear.value = Math.max(0.3 * distance, distance - 0.9 * this.layer.radius);
    this.shared.fadeFar.value = distance + 1.3 * this.layer.radius;
  }

  private setPixelRatio(ratio: number): void {
    if (ratio !== this.renderer.getPixelRatio()) this.renderer.setPixelRatio(ratio);
    this.points?.setViewport(this.pixelsPerUnit(), ratio);
    this.rings.setViewport(this.pixelsPerUnit(), ratio);
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.requestFrame();
  }

  private pixelsPerUnit(): number {
    return this.canvas.clientHeight / (2 * Math.tan((FIELD_OF_VIEW * Math.PI) / 360));
  }

  private projection(): Projection {
    this.camera.updateMatrixWorld();
    return {
      matrix: this.camera.projectionMatrix.clone().multiply(this.camera.matrixWorldInverse).elements,
      width: this.canvas.clientWidth,
      height: this.canvas.clientHeight,
      pixelsPerUnit: this.pixelsPerUnit(),
    };
  }

  private positionOf(node: number): Vector3 {
    return new Vector3().fromArray(this.layer!.positions, 3 * node);
  }
}

/** Rings around the selected feature and the one under the pointer. */
class Rings {
  readonly object: Points<BufferGeometry, ShaderMaterial>;

  constructor() {
    const material = new ShaderMaterial({
      vertexShader: /* glsl */ `
        attribute vec3 tint;
        attribute float pointRadius;
        uniform float pixelsPerUnit;
        uniform float pixelRatio;
        varying vec3 vTint;
        varying float vSize;
        void main() {
          vec4 seen = modelViewMatrix * vec4(position, 1.0);
          float plain = 3.0 * pointRadius * pixelsPerUnit / max(-seen.z, 0.01);
          vSize = plain / (1.0 + plain / (${LARGEST}.0 * pixelRatio)) + 11.0 * pixelRatio;
          gl_PointSize = vSize;
          vTint = tint;
          gl_Position = projectionMatrix * seen;
        }
      `,
      fragmentShader: /* glsl */ `
        uniform float pixelRatio;
        varying vec3 vTint;
        varying float vSize;
        void main() {
          float fromEdge = (1.0 - length(2.0 * gl_PointCoord - 1.0)) * vSize * 0.5;
          float ring = smoothstep(0.0, pixelRatio, fromEdge) * (1.0 - smoothstep(2.0 * pixelRatio, 3.0 * pixelRatio, fromEdge));
          if (ring < 0.02) discard;
          gl_FragColor = vec4(vTint, ring);
        }
      `,
      uniforms: { pixelsPerUnit: { value: 1 }, pixelRatio: { value: 1 } },
      transparent: true,
      depthTest: false,
    });
    this.object = new Points(new BufferGeometry(), material);
    this.object.frustumCulled = false;
    this.object.renderOrder = 3;
    this.object.visible = false;
  }

  show(rings: { position: Vector3; radius: number; color: Color }[]): void {
    this.object.geometry.dispose();
    this.object.visible = rings.length > 0;
    if (rings.length === 0) return;
    const geometry = new BufferGeometry();
    const flat = (values: number[][]) => new Float32Array(values.flat());
    geometry.setAttribute(
      "position",
      new BufferAttribute(flat(rings.map((ring) => ring.position.toArray())), 3),
    );
    geometry.setAttribute("pointRadius", new BufferAttribute(flat(rings.map((ring) => [ring.radius])), 1));
    const tints = flat(rings.map((ring) => ring.color.clone().convertLinearToSRGB().toArray()));
    geometry.setAttribute("tint", new BufferAttribute(tints, 3));
    this.object.geometry = geometry;
  }

  setViewport(pixelsPerUnit: number, pixelRatio: number): void {
    this.object.material.uniforms.pixelsPerUnit!.value = pixelsPerUnit * pixelRatio;
    this.object.material.uniforms.pixelRatio!.value = pixelRatio;
  }
}
