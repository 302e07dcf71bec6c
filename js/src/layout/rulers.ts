/** A place in the layout, µm. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Measure {
  readonly from: Place;
  readonly to: Place;
}

/** The rulers that lie on a layout; the last one may still be under construction. */
export class Rulers {
  private readonly done: Measure[] = [];
  private from: Place | undefined;
  private to: Place | undefined;
  active = false;

  /** All, the one under construction as well. */
  get measures(): readonly Measure[] {
    return this.from && this.to ? [...this.done, { from: this.from, to: this.to }] : this.done;
  }

  /** The next corner of a ruler: its begin, or its end. */
  put(place: Place): void {
    if (!this.from) {
      this.from = place;
      this.to = place;
      return;
    }
    if (place.x !== this.from.x || place.y !== this.from.y) this.done.push({ from: this.from, to: place });
    this.from = this.to = undefined;
  }

  /** Where the ruler under construction would end. */
  lead(place: Place): void {
    if (this.from) this.to = place;
  }

  /** Take back the one under construction, or else all; says whether there was something. */
  escape(): boolean {
    if (this.from) {
      this.from = this.to = undefined;
      return true;
    }
    return this.done.splice(0).length > 0;
  }

  /** Comma-separated values with a head, µm. */
  csv(): string {
    const number = (value: number) => String(Number(value.toFixed(4)));
    const rows = this.done.map(({ from, to }) => {
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      return [from.x, from.y, to.x, to.y, dx, dy, Math.hypot(dx, dy)].map(number).join(",");
    });
    return ["x1,y1,x2,y2,dx,dy,d", ...rows].join("\n");
  }
}
