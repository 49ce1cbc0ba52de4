// Prioritized Task Scheduling: scheduler, TaskController and TaskSignal.
import { AbortController, AbortSignal, toSignal } from "./abort.ts";
import { DOMException } from "./domexception.ts";
import { defineEventHandlers } from "./event_handlers.ts";
import { Event, type EventInit, fire } from "./events.ts";
import { clearRuntimeTimer, setRuntimeTimer } from "./timers.ts";
import {
  callback,
  converter,
  defineInterface,
  type Dictionary,
  dictionary,
  DOMString,
  enumeration,
  member,
  requiredMember,
  sequence,
  unsignedLongLong,
} from "./webidl.ts";

const priorities = ["user-blocking", "user-visible", "background"] as const;
export type TaskPriority = (typeof priorities)[number];
const toPriority = enumeration("TaskPriority", priorities);

// ------------------------------------------------------------------------------------------------- signals
export class TaskPriorityChangeEvent extends Event {
  #previousPriority: TaskPriority;
  constructor(type: string, init: Dictionary) {
    super(type, init as EventInit);
    this.#previousPriority = requiredMember(init, "TaskPriorityChangeEventInit", "previousPriority", toPriority);
  }
  get previousPriority(): TaskPriority {
    return this.#previousPriority;
  }
  static override isInstance(value: unknown): value is TaskPriorityChangeEvent {
    return typeof value === "object" && value !== null && #previousPriority in value;
  }
}
defineInterface(TaskPriorityChangeEvent, {
  name: "TaskPriorityChangeEvent",
  constructorArguments: [DOMString, dictionary("TaskPriorityChangeEventInit")],
});

export class TaskSignal extends AbortSignal {
  #priority: TaskPriority;
  #changing = false;
  #leader: TaskSignal | null = null; // whose priority is this one's
  #followers = new Set<WeakRef<TaskSignal>>(); // the other way round
  constructor(priority: TaskPriority) {
    super();
    this.#priority = priority;
  }
  get priority(): TaskPriority {
    return this.#priority;
  }
  static override any(signals: AbortSignal[], init: Dictionary = {}): TaskSignal {
    const priority = member(init, "TaskSignalAnyInit", "priority", priorityOrSignal, "user-visible");
    if (typeof priority === "string") return AbortSignal.follow(new TaskSignal(priority), signals);
    const result = AbortSignal.follow(new TaskSignal(priority.#priority), signals);
    // As with aborting, all follow the signal that nobody made.
    result.#leader = priority.#leader ?? priority;
    result.#leader.#followers.add(new WeakRef(result));
    return result;
  }
  // "Signal priority change".
  static setPriority(signal: TaskSignal, priority: TaskPriority): void {
    if (signal.#changing) {
      throw new DOMException(
        "Failed to execute 'setPriority' on 'TaskController': " +
          "Cannot change priority when a prioritychange event is in progress.",
        "NotAllowedError",
      );
    }
    const previousPriority = signal.#priority;
    if (previousPriority === priority) return;
    signal.#changing = true;
    signal.#priority = priority;
    fire(signal, new TaskPriorityChangeEvent("prioritychange", { previousPriority }));
    for (const reference of signal.#followers) {
      const follower = reference.deref();
      if (follower) TaskSignal.setPriority(follower, priority);
      else signal.#followers.delete(reference);
    }
    signal.#changing = false;
  }
  static override isInstance(value: unknown): value is TaskSignal {
    return typeof value === "object" && value !== null && #priority in value;
  }
}
const priorityOrSignal = (value: unknown): TaskPriority | TaskSignal =>
  TaskSignal.isInstance(value) ? value : toPriority(value);
defineEventHandlers(TaskSignal.prototype, ["prioritychange"], TaskSignal.isInstance);
defineInterface(TaskSignal, {
  name: "TaskSignal",
  statics: { any: [sequence(toSignal), dictionary("TaskSignalAnyInit").optional({})] },
});

export class TaskController extends AbortController {
  #brand = true;
  constructor(init: Dictionary = {}) {
    super(new TaskSignal(member(init, "TaskControllerInit", "priority", toPriority, "user-visible")));
  }
  setPriority(priority: TaskPriority): void {
    TaskSignal.setPriority(this.signal as TaskSignal, priority);
  }
  static override isInstance(value: unknown): value is TaskController {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
defineInterface(TaskController, {
  name: "TaskController",
  constructorArguments: [dictionary("TaskControllerInit").optional({})],
  operations: { setPriority: [toPriority] },
});

// ------------------------------------------------------------------------------------------------- tasks
interface Task {
  priority: () => TaskPriority;
  continuation: boolean;
  run(): void;
}
const queue: Task[] = [];
let turnQueued = false;
// What yield() inherits: the signal and priority of the task that runs.
let current: { signal: AbortSignal | null; priority: () => TaskPriority } | null = null;

// A continuation comes before the other tasks of its priority.
function rank({ priority, continuation }: Task): number {
  return priorities.indexOf(priority()) * 2 + (continuation ? 0 : 1);
}
function enqueue(task: Task): void {
  queue.push(task);
  queueTurn();
}
function queueTurn(): void {
  if (turnQueued || queue.length === 0) return;
  turnQueued = true;
  setRuntimeTimer(() => {
    turnQueued = false;
    queueTurn();
    let first = 0;
    queue.forEach((task, index) => {
      if (rank(task) < rank(queue[first]!)) first = index;
    });
    queue.splice(first, 1)[0]?.run();
    queueTurn();
  }, 0);
}
function dequeue(task: Task): void {
  const index = queue.indexOf(task);
  if (index >= 0) queue.splice(index, 1);
}

interface PostTaskOptions {
  delay: number;
  priority: TaskPriority | undefined;
  signal: AbortSignal | null;
}
function toOptions(given: Dictionary): PostTaskOptions {
  const dict = "SchedulerPostTaskOptions";
  const delay = member(given, dict, "delay", unsignedLongLong.enforceRange, 0);
  const priority = member(given, dict, "priority", toPriority, undefined);
  return { delay, priority, signal: member(given, dict, "signal", converter(toSignal), null) };
}

export class Scheduler {
  #brand = true;
  postTask(action: () => unknown, options: Dictionary): Promise<unknown> {
    const { delay, priority: fixed, signal } = toOptions(options);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const priority = () => fixed ?? (TaskSignal.isInstance(signal) ? signal.priority : "user-visible");
    return schedule(signal, priority, false, delay, action);
  }
  yield(): Promise<unknown> {
    const { signal, priority } = current ?? { signal: null, priority: () => "user-visible" as const };
    if (signal?.aborted) return Promise.reject(signal.reason);
    return schedule(signal, priority, true, 0, () => undefined);
  }
  static isInstance(value: unknown): value is Scheduler {
    return typeof value === "object" && value !== null && #brand in value;
  }
}
function schedule(
  signal: AbortSignal | null,
  priority: () => TaskPriority,
  continuation: boolean,
  delay: number,
  action: () => unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let forget = () => {};
    const task: Task = {
      priority,
      continuation,
      run() {
        const mine = { signal, priority };
        current = mine;
        try {
          resolve(action());
        } catch (error) {
          reject(error);
        }
        forget();
        // The task's microtasks still belong to it.
        setRuntimeTimer(() => {
          if (current === mine) current = null;
        }, 0);
      },
    };
    const timer = delay > 0 ? setRuntimeTimer(() => enqueue(task), delay) : 0;
    if (timer === 0) enqueue(task);
    if (!signal) return;
    forget = AbortSignal.addAlgorithm(signal, () => {
      clearRuntimeTimer(timer);
      dequeue(task);
      reject(signal.reason);
    });
  });
}
defineInterface(Scheduler, {
  name: "Scheduler",
  operations: { postTask: [callback, dictionary("SchedulerPostTaskOptions").optional({})], yield: [] },
  promises: ["postTask", "yield"],
});
