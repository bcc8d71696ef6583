"""A small sound contract with every kind of rule, for tests to read and to spoil."""

from __future__ import annotations

GRANTS = """\
apiVersion: v3.1.0
kind: DataContract
id: fbacap-space-grants
name: space_grants
version: 1.2.0
status: active
domain: capacity market
tags: [input, keys-may-repeat]
description:
  purpose: What was
    granted.
schema:
  - name: space_grants
    physicalType: table
    logicalType: object
    dataGranularityDescription: one row per request and round
    properties:
      - {name: round, description: The round., logicalType: integer, physicalType: INTEGER,
         required: true, primaryKey: true, primaryKeyPosition: 2}
      - name: request_id
        description: The request.
        logicalType: string
        logicalTypeOptions: {minLength: 1, maxLength: 200, pattern: '^[^'']+$'}
        physicalType: VARCHAR
        required: true
        primaryKey: true
        primaryKeyPosition: 1
      - name: outcome
        description: How it fared.
        logicalType: string
        physicalType: VARCHAR
        required: false
        quality:
          - {type: library, name: outcome_is_known, description: It is granted or won't be.,
             metric: invalidValues, arguments: {validValues: [granted, "won't"]}, mustBe: 0,
             severity: warning}
          - {type: library, name: outcome_is_lower_case, description: It is in lower case.,
             metric: invalidValues, arguments: {pattern: '^[a-z'']*$'}, mustBe: 0, severity: error}
      - name: granted_milli_ft3
        description: Volume.
        logicalType: integer
        logicalTypeOptions: {minimum: 0, exclusiveMinimum: -1, maximum: 9, exclusiveMaximum: 10}
        physicalType: BIGINT
        required: false
        customProperties:
          - {property: unit, value: milli_ft3}
          - {property: default, value: "0"}
      - name: share
        description: Share.
        logicalType: number
        logicalTypeOptions: {minimum: 0.0000001}
        physicalType: "DECIMAL(18,3)"
        required: false
      - name: joined_on
        description: Day.
        logicalType: date
        logicalTypeOptions: {minimum: '1900-01-01', exclusiveMaximum: '2200-01-01'}
        physicalType: DATE
        required: false
      - name: ordered_at
        description: Time.
        logicalType: timestamp
        logicalTypeOptions:
          {exclusiveMinimum: '1900-01-01T00:00:00', maximum: '2199-12-31T00:00:00'}
        physicalType: TIMESTAMP
        required: false
    quality:
      - type: sql
        name: rounds_are_early
        description: Grants are of early
          rounds.
        query: |-
          SELECT count(*)  from ${table}
          where (round(granted_milli_ft3) in (1, (2)) or 'round -- ;)' = outcome) is not true
        mustBe: 0
        severity: error
      - type: sql
        name: grants_stand_once
        description: No grant stands twice.
        query: |-
          select count(*) from (
              select request_id from ${table} group by request_id having count(*) > 1
          ) as bad_rows
        mustBe: 0
        severity: error
"""
