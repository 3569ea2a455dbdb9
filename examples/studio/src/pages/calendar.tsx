import { useEffect, useState } from "preact/hooks";
import { useQuery } from "../data/client";
import { listAppointments, listServices, listStaff, moveAppointment } from "../data/scheduling";
import type { Appointment, AppointmentStatus } from "../data/types";
import { timeZone } from "../env";
import { addDays, dayLabel, instantOf, timeLabel, wallOf, weekLabel, weekOf, type Wall } from "../lib/calendar";
import { fullName } from "../lib/names";
import { Badge, type Tone } from "../ui/badge";
import { EmptyState, ErrorState, Loading, problem, toast } from "../ui/feedback";
import { Icon } from "../ui/icon";
import { PageHead } from "../ui/page";
import { AppointmentForm } from "./appointment-form";
import { WeekGrid } from "./week-grid";

const TONES: Record<AppointmentStatus, Tone> = {
  approved: "good",
  pending: "warn",
  canceled: "bad",
  rejected: "bad",
  "no-show": "bad",
};

export function appointmentTone(status: AppointmentStatus): Tone {
  return TONES[status];
}

interface DayProps {
  days: string[];
  today: string;
  chosen: string;
  appointments: Appointment[];
  tintOf(staff: string): number;
  choose(day: string): void;
  open(appointment: Appointment): void;
}

function DayList({ days, today, chosen, appointments, tintOf, choose, open }: DayProps) {
  const onDay = (day: string) => appointments.filter((one) => wallOf(one.starts_at, timeZone).day === day);
  return (
    <div class="agenda">
      <div class="day-strip" role="group" aria-label="Day">
        {days.map((day) => (
          <button
            key={day}
            type="button"
            class={day === today ? "day-today" : ""}
            aria-pressed={day === chosen}
            title={dayLabel(day, { weekday: "long", day: "numeric", month: "long" })}
            onClick={() => choose(day)}
          >
            <small>{dayLabel(day, { weekday: "short" })} </small>
            <strong>{Number(day.slice(8))}</strong>
            <i class={onDay(day).length > 0 ? "dot" : "dot dot-none"} />
          </button>
        ))}
      </div>
      {onDay(chosen).length === 0 ? (
        <EmptyState icon="calendar" title="Nothing on this day">The studio is free.</EmptyState>
      ) : (
        <ul class="list" aria-label={dayLabel(chosen, { weekday: "long" })}>
          {onDay(chosen).map((one) => {
            const start = wallOf(one.starts_at, timeZone).minutes;
            const end = wallOf(one.ends_at, timeZone).minutes;
            const off = one.status !== "approved" && one.status !== "pending";
            return (
              <li key={one.id}>
                <button class={`list-row agenda-row tint-${tintOf(one.staff_id)}${off ? " agenda-off" : ""}`} type="button" onClick={() => open(one)}>
                  <span class="agenda-time"><strong>{timeLabel(start)}</strong><small>{timeLabel(end)}</small></span>
                  <span class="row-main">
                    <strong>{fullName(one.client)}</strong>
                    <small>{one.service.name} · {one.staff.full_name}</small>
                  </span>
                  {one.status !== "approved" && <Badge tone={TONES[one.status]}>{one.status}</Badge>}
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

function useNow(): Wall {
  const [now, setNow] = useState(() => wallOf(new Date(), timeZone));
  useEffect(() => {
    const timer = setInterval(() => setNow(wallOf(new Date(), timeZone)), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

type Editing = { appointment: Appointment } | { at: Wall } | null;

export function CalendarPage() {
  const now = useNow();
  const [anchor, setAnchor] = useState(now.day);
  const [staffShown, setStaffShown] = useState("");
  const [editing, setEditing] = useState<Editing>(null);
  const days = weekOf(anchor);
  const staff = useQuery(listStaff, []);
  const services = useQuery(listServices, []);
  const { data, error, reload } = useQuery(() => listAppointments(days[0], 7), [days[0]]);
  const shown = (data ?? []).filter((one) => !staffShown || one.staff_id === staffShown);
  const tintOf = (id: string) => Math.max(0, staff.data?.findIndex((one) => one.id === id) ?? 0);

  const move = async (appointment: Appointment, to: Wall) => {
    const length = Date.parse(appointment.ends_at) - Date.parse(appointment.starts_at);
    const starts = instantOf(to, timeZone);
    try {
      await moveAppointment(appointment.id, starts, new Date(starts.getTime() + length));
      toast(`Moved to ${dayLabel(to.day, { weekday: "long" })}, ${timeLabel(to.minutes)}`);
    } catch (failure) {
      problem(failure);
    }
    reload();
  };
  const firstFree = (): Wall => {
    const minutes = anchor === now.day ? Math.ceil((now.minutes + 1) / 30) * 30 : 10 * 60;
    return { day: anchor, minutes: Math.min(Math.max(minutes, 9 * 60), 18 * 60) };
  };

  return (
    <>
      <PageHead title="Calendar" lead={weekLabel(days)}>
        <button class="button button-primary" type="button" onClick={() => setEditing({ at: firstFree() })}>
          <Icon name="plus" size={18} /> <span>New appointment</span>
        </button>
      </PageHead>
      <div class="toolbar">
        <div class="week-steps">
          <button class="icon-button framed" type="button" aria-label="Week before" onClick={() => setAnchor(addDays(anchor, -7))}><Icon name="left" /></button>
          <button class="button" type="button" onClick={() => setAnchor(now.day)}>Today</button>
          <button class="icon-button framed" type="button" aria-label="Week after" onClick={() => setAnchor(addDays(anchor, 7))}><Icon name="right" /></button>
        </div>
        <div class="chips" role="group" aria-label="Staff">
          <button class="chip" type="button" aria-pressed={staffShown === ""} onClick={() => setStaffShown("")}>Everyone</button>
          {staff.data?.map((one) => (
            <button key={one.id} class={`chip tint-${tintOf(one.id)}`} type="button" aria-pressed={staffShown === one.id} onClick={() => setStaffShown(one.id)}>
              <i class="dot" /> {one.full_name}
            </button>
          ))}
        </div>
      </div>
      {error ? (
        <ErrorState message={error} retry={reload} />
      ) : !data ? (
        <Loading label="Loading the week" rows={8} />
      ) : (
        <>
          <WeekGrid
            days={days}
            now={now}
            appointments={shown}
            tintOf={tintOf}
            open={(appointment) => setEditing({ appointment })}
            add={(at) => setEditing({ at })}
            move={(appointment, to) => void move(appointment, to)}
          />
          <DayList
            days={days}
            today={now.day}
            chosen={anchor}
            appointments={shown}
            tintOf={tintOf}
            choose={setAnchor}
            open={(appointment) => setEditing({ appointment })}
          />
        </>
      )}
      {editing && staff.data && services.data && (
        <AppointmentForm
          appointment={"appointment" in editing ? editing.appointment : null}
          at={"at" in editing ? editing.at : wallOf(editing.appointment.starts_at, timeZone)}
          staff={staff.data}
          services={services.data}
          staffHint={staffShown}
          onClose={() => setEditing(null)}
          onSaved={() => {
            setEditing(null);
            reload();
          }}
        />
      )}
    </>
  );
}
