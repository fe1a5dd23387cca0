/** Lines some pixels wide, drawn on top of points and links: one draw call. */
import type { Color } from "three";
import { LineMaterial } from "three/examples/jsm/lines/LineMaterial.js";
import { LineSegments2 } from "three/examples/jsm/lines/LineSegments2.js";
import { LineSegmentsGeometry } from "three/examples/jsm/lines/LineSegmentsGeometry.js";

export interface Line {
  /** x, y, z of one end, then of the other, in map units. */
  ends: number[];
  /** At either end. */
  colors: [Color, Color];
}

export class WideLines {
  readonly object: LineSegments2;

  /** `linewidth`: CSS pixels. */
  constructor(linewidth: number, renderOrder: number) {
    const material = new LineMaterial({ linewidth, vertexColors: true, transparent: true, depthTest: false });
    this.object = new LineSegments2(new LineSegmentsGeometry(), material);
    this.object.frustumCulled = false;
    this.object.renderOrder = renderOrder;
    this.object.visible = false;
  }

  show(lines: Line[], opacity = 1): void {
    this.object.geometry.dispose();
    this.object.visible = lines.length > 0;
    if (lines.length === 0) return;
    this.object.material.opacity = opacity;
    this.object.geometry = new LineSegmentsGeometry()
      .setPositions(lines.flatMap(({ ends }) => ends))
      .setColors(lines.flatMap(({ colors }) => colors.flatMap((color) => color.toArray())));
  }
}
