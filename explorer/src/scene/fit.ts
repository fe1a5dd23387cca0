/** The view that shows a whole map as large as fits. */
import { Vector3 } from "three";

/** Share of the points that may lie outside on each side: a few far outliers would shrink all the rest. */
const OUTLIERS = 0.003;
/** Points that decide; of a larger map, every second, third, ... */
const SAMPLE = 8_000;

/**
 * Eye and target, six numbers, of a view along `direction` (from the target to the eye, of length 1).
 *
 * Nearly all points then lie in a part of the picture that is, at depth 1, `2 * slopeX` wide and `2 * slopeY` high.
 */
export function fittingView(
  positions: Float32Array,
  direction: Vector3,
  slopeX: number,
  slopeY: number,
): number[] {
  const right = new Vector3(0, 1, 0).cross(direction).normalize();
  const axes = [right, direction.clone().cross(right), direction];
  const stride = 3 * Math.ceil(positions.length / 3 / SAMPLE);
  const count = Math.ceil(positions.length / stride);
  const along = axes.map(({ x, y, z }) =>
    Float32Array.from(
      { length: count },
      (_, at) =>
        x * positions[stride * at]! + y * positions[stride * at + 1]! + z * positions[stride * at + 2]!,
    ),
  );
  const middles = along.map((values) => {
    const sorted = values.toSorted();
    return (quantile(sorted, OUTLIERS) + quantile(sorted, 1 - OUTLIERS)) / 2;
  });
  const [across, upward, towards] = along.map((values, axis) =>
    values.map((value) => value - middles[axis]!),
  );
  const distances = across!.map(
    (value, at) => towards![at]! + Math.max(Math.abs(value) / slopeX, Math.abs(upward![at]!) / slopeY),
  );
  const distance = Math.max(quantile(distances.toSorted(), 1 - OUTLIERS), 1);
  const target = new Vector3();
  axes.forEach((axis, at) => {
    target.addScaledVector(axis, middles[at]!);
  });
  const eye = target.clone().addScaledVector(direction, distance);
  return [...eye.toArray(), ...target.toArray()];
}

function quantile(sorted: Float32Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))]!;
}
