#!/bin/sh
# SPDX-License-Identifier: ISC
printf '%s\n' "$@"
