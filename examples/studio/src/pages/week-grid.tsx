import { useRef, useState } from "preact/hooks";
import type { Appointment } from "../data/types";
import { timeZone } from "../env";
import { dayLabel, layOut, timeLabel, wallOf, type Wall } from "../lib/calendar";
import { fullName } from "../lib/names";

const OPENS = 8 * 60;
const CLOSES = 20 * 60;
const STEP = 15;
const PIXELS_PER_MINUTE = 0.8;
const DRAG_THRESHOLD = 5;

interface GridProps {
  days: string[];
  now: Wall;
  appointments: Appointment[];
  tintOf(staff: string): number;
  open(appointment: Appointment): void;
  add(at: Wall): void;
  move(appointment: Appointment, to: Wall): void;
}

interface Drag {
  appointment: Appointment;
  grabbed: number;
  from: { x: number; y: number };
  to: Wall | null;
}

const top = (minutes: number) => `${(minutes - OPENS) * PIXELS_PER_MINUTE}px`;
const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function spanOf(one: Appointment) {
  const start = clamp(wallOf(one.starts_at, timeZone).minutes, OPENS, CLOSES - STEP);
  const length = (Date.parse(one.ends_at) - Date.parse(one.starts_at)) / 60_000;
  return { one, start, end: Math.min(CLOSES, start + length) };
}

export function WeekGrid({ days, now, appointments, tintOf, open, add, move }: GridProps) {
  const body = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const dragged = useRef(false);

  const wallAt = (x: number, y: number, grabbed = 0): Wall => {
    const box = body.current!.getBoundingClientRect();
    const column = clamp(Math.floor(((x - box.left) / box.width) * 7), 0, 6);
    const minutes = OPENS + (y - box.top) / PIXELS_PER_MINUTE - grabbed;
    return { day: days[column], minutes: clamp(Math.round(minutes / STEP) * STEP, OPENS, CLOSES - STEP) };
  };

  const grab = (event: PointerEvent, appointment: Appointment, start: number) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    const box = body.current!.getBoundingClientRect();
    const grabbed = (event.clientY - box.top) / PIXELS_PER_MINUTE + OPENS - start;
    dragged.current = false;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    setDrag({ appointment, grabbed, from: { x: event.clientX, y: event.clientY }, to: null });
  };
  const pull = (event: PointerEvent) => {
    if (!drag) return;
    const far = Math.hypot(event.clientX - drag.from.x, event.clientY - drag.from.y) > DRAG_THRESHOLD;
    if (far || drag.to) setDrag({ ...drag, to: wallAt(event.clientX, event.clientY, drag.grabbed) });
  };
  const release = () => {
    if (drag?.to) {
      dragged.current = true;
      const was = wallOf(drag.appointment.starts_at, timeZone);
      if (drag.to.day !== was.day || drag.to.minutes !== was.minutes) move(drag.appointment, drag.to);
    }
    setDrag(null);
  };
  const click = (appointment: Appointment) => {
    if (dragged.current) dragged.current = false;
    else open(appointment);
  };
  const addAt = (event: MouseEvent) => {
    if ((event.target as Element).closest(".event")) return;
    const at = wallAt(event.clientX, event.clientY);
    add({ day: at.day, minutes: Math.floor(at.minutes / 30) * 30 });
  };

  const hours = Array.from({ length: (CLOSES - OPENS) / 60 }, (_, index) => OPENS + index * 60);
  const ghost = drag?.to;
  return (
    <div class="week">
      <div class="week-head">
        <span />
        {days.map((day) => (
          <span key={day} class={day === now.day ? "week-day week-today" : "week-day"}>
            {dayLabel(day, { weekday: "short" })} <strong>{Number(day.slice(8))}</strong>
          </span>
        ))}
      </div>
      <div class="week-body">
        <div class="week-hours" style={{ height: top(CLOSES) }}>
          {hours.map((hour) => <span key={hour} style={{ top: top(hour) }}>{hour > OPENS && timeLabel(hour)}</span>)}
        </div>
        <div class="week-days" ref={body} style={{ height: top(CLOSES) }} onClick={addAt}>
          {hours.map((hour) => <i key={hour} class="hour-line" style={{ top: top(hour) }} />)}
          {days.map((day, column) => (
            <div key={day} class={day === now.day ? "day-column day-column-today" : "day-column"} style={{ left: `${(column / 7) * 100}%` }}>
              {day === now.day && now.minutes >= OPENS && now.minutes <= CLOSES && <i class="now-line" style={{ top: top(now.minutes) }} />}
              {layOut(appointments.filter((one) => wallOf(one.starts_at, timeZone).day === day).map(spanOf)).map(({ item, lane, lanes }) => {
                const { one, start, end } = item;
                const off = one.status !== "approved" && one.status !== "pending";
                const lifted = drag?.to && drag.appointment.id === one.id;
                return (
                  <button
                    key={one.id}
                    type="button"
                    class={`event tint-${tintOf(one.staff_id)} event-${one.status}${off ? " event-off" : ""}${lifted ? " event-lifted" : ""}${end - start < 45 ? " event-short" : ""}${lanes > 1 ? " event-narrow" : ""}`}
                    style={{
                      top: top(start),
                      height: `${(end - start) * PIXELS_PER_MINUTE - 3}px`,
                      left: `calc(${(lane / lanes) * 100}% + 2px)`,
                      width: `calc(${100 / lanes}% - 4px)`,
                    }}
                    title={`${timeLabel(start)} ${fullName(one.client)}, ${one.service.name} with ${one.staff.full_name} (${one.status})`}
                    onPointerDown={(event) => !off && grab(event, one, start)}
                    onPointerMove={pull}
                    onPointerUp={release}
                    onPointerCancel={() => setDrag(null)}
                    onClick={() => click(one)}
                  >
                    <strong>{fullName(one.client)}</strong>
                    <span>{timeLabel(start)} {one.service.name}</span>
                  </button>
                );
              })}
              {ghost && ghost.day === day && (
                <div class={`event event-ghost tint-${tintOf(drag.appointment.staff_id)}`} style={ghostBox(drag.appointment, ghost)}>
                  <strong>{timeLabel(ghost.minutes)}</strong>
                </div>
              )}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function ghostBox(appointment: Appointment, to: Wall) {
  const { start, end } = spanOf(appointment);
  return { top: top(to.minutes), height: `${(end - start) * PIXELS_PER_MINUTE - 3}px`, left: "2px", width: "calc(100% - 4px)" };
}
