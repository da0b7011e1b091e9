# For terminals, whose login shells begin with a PATH of their own.
PATH="/opt/autograder/bin:$PATH"
AUTOGRADER_EXERCISES="${AUTOGRADER_EXERCISES:-/opt/course/exercises}"
export PATH AUTOGRADER_EXERCISES
