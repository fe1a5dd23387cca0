/** The way of a track through the frame: a line through its features in all layers, and a mark for each. */
import { BufferAttribute, BufferGeometry, type Color, Group, Points, ShaderMaterial } from "three";
import { LineMaterial } from "three/examples/jsm/lines/LineMaterial.js";
import { LineSegments2 } from "three/examples/jsm/lines/LineSegments2.js";
import { LineSegmentsGeometry } from "three/examples/jsm/lines/LineSegmentsGeometry.js";

/** CSS pixels. */
const MARK = 8;
const MARK_HERE = 13;
/** Share of the background in the colour at the first layer; none is left at the last. */
const PALE = 0.6;

export class Trail {
  readonly object = new Group();
  private readonly line: LineSegments2;
  private readonly marks: Points<BufferGeometry, ShaderMaterial>;

  constructor() {
    const lines = new LineMaterial({
      linewidth: 2.5,
      vertexColors: true,
      transparent: true,
      depthTest: false,
    });
    this.line = new LineSegments2(new LineSegmentsGeometry(), lines);
    const discs = new ShaderMaterial({
      vertexShader: /* glsl */ `
        attribute vec3 tint;
        attribute float size;
        uniform float pixelRatio;
        varying vec3 vTint;
        varying float vSize;
        void main() {
          vTint = tint;
          vSize = size * pixelRatio;
          gl_PointSize = vSize;
          gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
        }
      `,
      fragmentShader: /* glsl */ `
        uniform vec3 background;
        varying vec3 vTint;
        varying float vSize;
        void main() {
          float fromEdge = (1.0 - length(2.0 * gl_PointCoord - 1.0)) * vSize * 0.5;
          if (fromEdge < 0.0) discard;
          // A rim of the background sets the marks off from the points.
          gl_FragColor = vec4(mix(background, vTint, smoothstep(0.5, 1.5, fromEdge)), smoothstep(0.0, 1.0, fromEdge));
        }
      `,
      uniforms: { pixelRatio: { value: 1 }, background: { value: null } },
      transparent: true,
      depthTest: false,
    });
    this.marks = new Points(new BufferGeometry(), discs);
    this.object.add(this.line, this.marks);
    for (const part of [this.line, this.marks]) part.frustumCulled = false;
    this.line.renderOrder = 4;
    this.marks.renderOrder = 5;
    this.object.visible = false;
  }

  /** `stops`: x, y, z in each layer of the track, null where that is not known yet; `here`: the one that is shown. */
  show(stops: (number[] | null)[], here: number, color: Color, background: Color): void {
    for (const part of [this.line, this.marks]) part.geometry.dispose();
    const colorAt = (stop: number) =>
      color.clone().lerp(background, PALE * (1 - stop / Math.max(1, stops.length - 1)));
    const segments = stops.flatMap((to, stop) => {
      const from = stops[stop - 1];
      return from && to ? [{ ends: [...from, ...to], colors: [colorAt(stop - 1), colorAt(stop)] }] : [];
    });
    this.line.visible = segments.length > 0;
    if (this.line.visible) {
      const geometry = new LineSegmentsGeometry();
      geometry.setPositions(segments.flatMap(({ ends }) => ends));
      geometry.setColors(segments.flatMap(({ colors }) => colors.flatMap((end) => end.toArray())));
      this.line.geometry = geometry;
    }
    const known = stops.flatMap((position, stop) => (position ? [{ position, stop }] : []));
    this.object.visible = known.length > 1;
    const geometry = new BufferGeometry();
    const attribute = (name: string, values: number[], size: number) =>
      geometry.setAttribute(name, new BufferAttribute(Float32Array.from(values), size));
    const tints = known.map(({ stop }) =>
      (stop === here ? color.clone() : colorAt(stop)).convertLinearToSRGB().toArray(),
    );
    attribute(
      "position",
      known.flatMap(({ position }) => position),
      3,
    );
    attribute("tint", tints.flat(), 3);
    attribute(
      "size",
      known.map(({ stop }) => (stop === here ? MARK_HERE : MARK)),
      1,
    );
    this.marks.geometry = geometry;
    this.marks.material.uniforms.background!.value = background.clone().convertLinearToSRGB();
  }

  setViewport(pixelRatio: number): void {
    this.marks.material.uniforms.pixelRatio!.value = pixelRatio;
  }
}
