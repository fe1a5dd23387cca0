/** The camera: where it is, how the visitor moves it, and how it flies to a view. */
import { PerspectiveCamera, Vector2, Vector3 } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import type { Placed } from "../data/layer";
import { fittingView } from "./fit";
import { Flight, prefersStillness } from "./flight";
import type { Projection } from "./pick";
import type { Box } from "./placement";

type Extent = Pick<Placed, "positions" | "radius">;

/** Of the map's radius: how far from its target the eye can go. */
const REACH = 6;

/** Milliseconds in which the turning that goes on after a drag falls to a third. */
const COASTING = 180;
/** Milliseconds of a first frame, before which there was none to count from. */
const FIRST_FRAME = 16;
/** Of the free part of the picture: how much of it the whole map fills. */
const FILLED = 0.92;
/** CSS pixels: a map that panels cover altogether is drawn at least this large. */
const SMALLEST_FREE = 120;

const HOME_DIRECTION = new Vector3(0.62, 0.42, 1).normalize();
const FIELD_OF_VIEW = 45;
/** Map units: what is further away is not drawn. Grows with the map. */
const FAR = 2000;

/** The share of what is left of a turn that `elapsed` milliseconds take, in however many frames. */
export function coasted(elapsed: number): number {
  return 1 - Math.exp(-elapsed / COASTING);
}

/** False for a view so far off that the map would be a speck, or out of sight. */
export function showsMap(view: number[], { center, radius }: Pick<Placed, "center" | "radius">): boolean {
  const [eye, target] = [view.slice(0, 3), view.slice(3)];
  const within = (point: number[], reach: number) =>
    Math.hypot(...point.map((value, axis) => value - center[axis]!)) <= reach * radius;
  // As far as the eye can go when its target is at the edge of what is allowed.
  return within(target, REACH) && within(eye, 2 * REACH);
}

export class MapCamera {
  /** Called when the visitor takes hold of the map. */
  onGrab: () => void = () => {};
  readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.05, FAR);
  private readonly controls: OrbitControls;
  private extent: Extent | null = null;
  /** The whole map is shown, and the visitor has not moved it since. */
  private atHome = false;
  private flight: Flight | null = null;
  /** CSS pixels at the edges of the canvas that panels cover. */
  private insets: Box = { left: 0, right: 0, top: 0, bottom: 0 };
  private shift = new Vector2();
  private shiftedAt = 0;
  private drawn = false;
  private held = false;
  /** Moved since the last frame by the visitor, or by a change of the free space. */
  private displaced = false;
  /** Null at rest. */
  private updatedAt: number | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly requestFrame: () => void,
  ) {
    this.controls = new OrbitControls(this.camera, canvas);
    Object.assign(this.controls, {
      zoomToCursor: true,
      minDistance: 0.4,
      rotateSpeed: 0.8,
    });
    this.controls.addEventListener("start", () => {
      this.flight = null;
      this.atHome = false;
      this.held = true;
      this.onGrab();
    });
    this.controls.addEventListener("end", () => {
      this.held = false;
    });
    this.controls.addEventListener("change", () => {
      if (this.held) this.displaced = true;
      requestFrame();
    });
  }

  /** Distance from the eye to what it looks at, in map units. */
  get distance(): number {
    return this.camera.position.distanceTo(this.controls.target);
  }

  /** CSS pixels that one map unit takes at depth 1. */
  get pixelsPerUnit(): number {
    return this.canvas.clientHeight / (2 * Math.tan((FIELD_OF_VIEW * Math.PI) / 360));
  }

  /** CSS pixels of the canvas that panels leave free. */
  get freeBox(): Box {
    const { left, right, top, bottom } = this.insets;
    return {
      left,
      top,
      right: this.canvas.clientWidth - right,
      bottom: this.canvas.clientHeight - bottom,
    };
  }

  /** Limits the camera to a new map. The first map is shown as a whole; later ones from where the camera is. */
  setExtent(extent: Extent): void {
    const isFirst = this.extent === null;
    this.extent = extent;
    this.controls.maxDistance = REACH * extent.radius;
    this.camera.far = Math.max(FAR, 2 * REACH * extent.radius);
    this.camera.updateProjectionMatrix();
    if (isFirst) this.jumpHome();
  }

  /** Keeps the middle of the picture in the middle of what the panels leave free. */
  setInsets(insets: Box): void {
    this.insets = insets;
    if (!this.drawn) {
      // The panels take their size between the arrival of the first map and its first frame.
      this.shift.copy(this.wantedShift());
      if (this.atHome) this.jumpHome();
    }
    this.requestFrame();
  }

  resize(): void {
    this.camera.aspect = this.canvas.clientWidth / this.canvas.clientHeight;
    this.camera.updateProjectionMatrix();
    if (this.atHome) this.jumpHome();
  }

  /** Moves the camera to where it is at `now` (milliseconds). Returns false once it rests. */
  update(now: number): boolean {
    this.drawn = this.extent !== null;
    if (this.flight && !this.flight.step(now)) this.flight = null;
    const shifting = this.shiftPicture(now);
    // OrbitControls slows down by a share per update. Updates come with the frames, which can take any time.
    const elapsed = this.updatedAt === null ? FIRST_FRAME : now - this.updatedAt;
    this.controls.enableDamping = !prefersStillness();
    this.controls.dampingFactor = coasted(elapsed);
    const moving = this.controls.update() || this.flight !== null || shifting || this.displaced;
    this.displaced = false;
    this.updatedAt = moving ? now : null;
    return moving;
  }

  /** Eye and target, six numbers. */
  view(): number[] {
    return [...this.camera.position.toArray(), ...this.controls.target.toArray()];
  }

  setView(view: number[]): void {
    this.flight = null;
    this.atHome = false;
    this.camera.position.fromArray(view, 0);
    this.controls.target.fromArray(view, 3);
    this.controls.update();
    this.requestFrame();
  }

  /** Ends a flight, and the turning after a drag. */
  halt(): void {
    this.flight = null;
    this.controls.enableDamping = false;
    this.controls.update();
  }

  flyTo(target: Vector3): void {
    this.approach(target, this.closeness);
  }

  /** Flies to where both points are in sight. */
  flyToBoth(one: Vector3, other: Vector3): void {
    const unit = this.closeness / this.fillingDistance(1);
    this.flyToSphere(one.clone().lerp(other, 0.5), Math.max(0.6 * one.distanceTo(other), unit));
  }

  /** Flies to where a sphere fills the free space, without turning. */
  flyToSphere(center: Vector3, radius: number): void {
    this.approach(center, Math.min(this.fillingDistance(radius), this.controls.maxDistance));
  }

  /** Where a point is on the canvas, in CSS pixels; null behind the eye. */
  screenOf(point: Vector3): Vector2 | null {
    const { x, y, z } = point.clone().project(this.camera);
    if (z > 1) return null;
    return new Vector2((0.5 + x / 2) * this.canvas.clientWidth, (0.5 - y / 2) * this.canvas.clientHeight);
  }

  /** False outside the picture, and behind a panel. */
  isInSight(point: Vector3): boolean {
    const { left, top, right, bottom } = this.freeBox;
    const at = this.screenOf(point);
    return at !== null && at.x > left && at.x < right && at.y > top && at.y < bottom;
  }

  /** Moves without turning so that `point` is in the middle, unless the panels leave it in sight. */
  keepInSight(point: Vector3): void {
    if (!this.isInSight(point)) this.approach(point, this.distance);
  }

  flyHome(): void {
    const view = this.homeView();
    this.fly(new Vector3().fromArray(view, 0), new Vector3().fromArray(view, 3));
    this.atHome = true;
  }

  /** Shows the whole map again, if that is what was shown: the free space has changed. */
  stayHome(): void {
    if (!this.atHome) return;
    this.jumpHome();
    this.displaced = true;
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
    const { minDistance, maxDistance, target } = this.controls;
    const distance = Math.min(maxDistance, Math.max(minDistance, this.distance * factor));
    this.approach(target.clone(), distance, 220);
  }

  /** Moves eye and target sideways, in shares of what is seen. */
  pan(right: number, up: number): void {
    const shift = new Vector3(right, up, 0)
      .multiplyScalar(this.distance)
      .applyQuaternion(this.camera.quaternion);
    this.fly(this.camera.position.clone().add(shift), this.controls.target.clone().add(shift), 160);
  }

  projection(): Projection {
    this.camera.updateMatrixWorld();
    return {
      matrix: this.camera.projectionMatrix.clone().multiply(this.camera.matrixWorldInverse).elements,
      width: this.canvas.clientWidth,
      height: this.canvas.clientHeight,
      pixelsPerUnit: this.pixelsPerUnit,
    };
  }

  /** Where to turn for a point outside the picture: from its middle on the screen, of length 1; null if it is inside. */
  directionBeyond(point: Vector3): { x: number; y: number } | null {
    const at = this.screenOf(point);
    if (at === null) {
      const { x, y } = point.clone().applyMatrix4(this.camera.matrixWorldInverse);
      return new Vector2(x, -y).normalize();
    }
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (at.x >= 0 && at.x <= width && at.y >= 0 && at.y <= height) return null;
    const { left, right, top, bottom } = this.freeBox;
    return at.sub(new Vector2((left + right) / 2, (top + bottom) / 2)).normalize();
  }

  /** How far from a feature the eye stops. */
  private get closeness(): number {
    return Math.min(this.distance, 0.42 * (this.extent?.radius ?? Infinity));
  }

  /** From where a sphere fills the free space. */
  private fillingDistance(radius: number): number {
    const { left, right, top, bottom } = this.freeBox;
    const free = Math.max(Math.min(right - left, bottom - top), SMALLEST_FREE);
    return (2.2 * radius * this.pixelsPerUnit) / free;
  }

  private jumpHome(): void {
    this.setView(this.homeView());
    this.atHome = true;
  }

  /** Flies to a distance from `target`, without turning. */
  private approach(target: Vector3, distance: number, duration?: number): void {
    const offset = this.camera.position.clone().sub(this.controls.target).setLength(distance);
    this.fly(target.clone().add(offset), target, duration);
  }

  private fly(eye: Vector3, target: Vector3, duration?: number): void {
    this.atHome = false;
    this.flight = new Flight(this.camera, this.controls.target, eye, target, duration);
    this.requestFrame();
  }

  private homeView(): number[] {
    if (!this.extent) return [...HOME_DIRECTION.toArray(), 0, 0, 0];
    const { left, right, top, bottom } = this.freeBox;
    const slope = (pixels: number) => (FILLED * Math.max(pixels, SMALLEST_FREE)) / 2 / this.pixelsPerUnit;
    return fittingView(this.extent.positions, HOME_DIRECTION, slope(right - left), slope(bottom - top));
  }

  private wantedShift(): Vector2 {
    const { left, right, top, bottom } = this.insets;
    return new Vector2((right - left) / 2, (bottom - top) / 2);
  }

  /** Moves the picture towards the middle of what the panels leave free. Returns false once it is there. */
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
}
