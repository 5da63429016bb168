"""Routilux: event-driven workflows in one process."""

from routilux.activation_policies import (
    ActivationPolicy,
    all_slots_ready_policy,
    batch_size_policy,
    custom_policy,
    immediate_policy,
    time_interval_policy,
    when_quiet_policy,
)
from routilux.connection import Connection
from routilux.error_handler import ErrorHandler, ErrorStrategy
from routilux.event import Event
from routilux.exceptions import (
    ActivationInterrupted,
    FieldError,
    FlowDefinitionError,
    FlowError,
    FlowTimeout,
    InvalidTransition,
    JobCancelled,
    JobNotActive,
    ParameterError,
    PolicyError,
    RoutiluxError,
    SerializationError,
    SlotQueueFullError,
    UndefinedEventError,
)
from routilux.flow import Flow
from routilux.history import ExecutionRecord, JobError, LogLine
from routilux.job import Job
from routilux.job_state import JobState
from routilux.params import ParameterField
from routilux.registry import FlowRegistry
from routilux.routine import Routine
from routilux.runtime import Runtime
from routilux.slot import Item, Slot
from routilux.snapshot import (
    JobEvent,
    JobSnapshot,
    JobSummary,
    Progress,
    RoutineData,
    RoutineSnapshot,
    RuntimeSnapshot,
    SlotItems,
    SlotSnapshot,
)
from routilux.status import ExecutionStatus
from routilux.validation import Finding

__all__ = [
    "ActivationInterrupted",
    "ActivationPolicy",
    "Connection",
    "ErrorHandler",
    "ErrorStrategy",
    "Event",
    "ExecutionRecord",
    "ExecutionStatus",
    "FieldError",
    "Finding",
    "Flow",
    "FlowDefinitionError",
    "FlowError",
    "FlowRegistry",
    "FlowTimeout",
    "InvalidTransition",
    "Item",
    "Job",
    "JobCancelled",
    "JobError",
    "JobEvent",
    "JobNotActive",
    "JobSnapshot",
    "JobState",
    "JobSummary",
    "LogLine",
    "ParameterError",
    "ParameterField",
    "PolicyError",
    "Progress",
    "RoutiluxError",
    "Routine",
    "RoutineData",
    "RoutineSnapshot",
    "Runtime",
    "RuntimeSnapshot",
    "SerializationError",
    "Slot",
    "SlotItems",
    "SlotQueueFullError",
    "SlotSnapshot",
    "UndefinedEventError",
    "all_slots_ready_policy",
    "batch_size_policy",
    "custom_policy",
    "immediate_policy",
    "time_interval_policy",
    "when_quiet_policy",
]
